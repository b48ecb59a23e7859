"""The room's timelines as the grid of a file that begins on a bar line. Pure.

A DAW's grid cannot stop, nor begin a bar before the last one is over. So where the song stands the
grid goes on, at a tempo with which the song goes on on its own bar line; and where the song jumps
out of a bar, the rest of that bar is stretched.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from midipool.meter import BEAT, Meter
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

TICKS_A_BEAT = 960
# What two timelines differ by where one goes on from the other.
ROUNDED_BEATS = 2_000
RAMP_STEP_BEATS = BEAT // 4
# MIDI's tempo is whole µs a beat: what that leaves over is made up for before it is this much.
MOST_ERROR_US = 50
STEP_BEATS = 16 * BEAT


@dataclass
class Grid:
    """Where each beat of the file is in time: straight between points."""

    points: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    """(µs, micro-beats of the file), both rising."""
    meters: list[tuple[int, Meter]] = field(default_factory=list)
    markers: list[tuple[int, str]] = field(default_factory=list)
    """By micro-beats of the file."""

    def beats_at(self, time_us: int) -> int:
        """The file's beat at a time; the last tempo goes on."""
        times = [time for time, _ in self.points]
        index = min(max(bisect_right(times, time_us) - 1, 0), max(len(times) - 2, 0))
        if len(self.points) < 2:
            return 0
        (t0, b0), (t1, b1) = self.points[index], self.points[index + 1]
        return b0 + (time_us - t0) * (b1 - b0) // (t1 - t0)

    def tempos(self) -> list[tuple[int, int]]:
        """(tick, µs a beat) of each change of tempo; no tick is off by more than 1/10 ms."""
        found: list[tuple[int, int]] = []
        tempo, at_tick, at_us = 0, 0, 0.0
        for tick, time_us in self._steps():
            ticks = tick - at_tick
            if ticks <= 0:
                continue
            if tempo == 0 or abs(at_us + ticks * tempo / TICKS_A_BEAT - time_us) > MOST_ERROR_US:
                wanted = round((time_us - at_us) * TICKS_A_BEAT / ticks)
                tempo = min(max(wanted, 1), (1 << 24) - 1)
                found.append((at_tick, tempo))
            at_tick, at_us = tick, at_us + ticks * tempo / TICKS_A_BEAT
        return found

    def _steps(self) -> list[tuple[int, float]]:
        """(tick, µs) of where the tempo may change."""
        steps = []
        for (t0, b0), (t1, b1) in pairwise(self.points):
            for beats in [*range(b0 + STEP_BEATS, b1, STEP_BEATS), b1]:
                tick = tick_of(beats)
                exact = tick * BEAT / TICKS_A_BEAT
                steps.append((tick, t0 + (exact - b0) * (t1 - t0) / (b1 - b0)))
        return steps


def tick_of(beats: int) -> int:
    """The tick of the file's beat."""
    return round(beats * TICKS_A_BEAT / BEAT)


def grid_of(timelines: tuple[Timeline, ...], end_us: int) -> Grid:
    """The grid of a recording from 0, where the first bar begins, to `end_us`."""
    grid = Grid()
    bar_from, before = 0, None
    for timeline, start_us, until_us in TimelineChain(timelines).spans(0):
        if start_us >= end_us:
            break
        stop_us = end_us if until_us is None else min(until_us, end_us)
        phase = timeline.song_beats_at(start_us) % timeline.meter.bar_beats
        if before is not None:
            same = before.meter == timeline.meter
            _fit(grid, before, bar_from, phase if same else 0)
        at = grid.points[-1][1]
        if before is None or before.meter != timeline.meter:
            grid.meters.append((at, timeline.meter))
        bar_from = at - phase
        _mark(grid, before, timeline, start_us, stop_us)
        _go_on(grid, timeline, start_us, stop_us)
        before = timeline
    return grid


def _go_on(grid: Grid, timeline: Timeline, start_us: int, stop_us: int) -> None:
    """The points of a span, at its own tempo."""
    begin = grid.points[-1][1]
    if not timeline.playing:
        length = (stop_us - start_us) * timeline.mbpm // 60_000
        grid.points.append((stop_us, begin + max(length, 1)))
        return
    first, last = timeline.beats_at(start_us), timeline.beats_at(stop_us)
    if timeline.ramp is not None:
        for beats in range(first + RAMP_STEP_BEATS, last, RAMP_STEP_BEATS):
            if (time_us := timeline.time_at(beats)) < stop_us:
                grid.points.append((time_us, begin + beats - first))
    grid.points.append((stop_us, begin + max(last - first, 1)))


def _fit(grid: Grid, before: Timeline, bar_from: int, phase: int) -> None:
    """Let the last span end where a bar is so far on as what follows has it."""
    bar = before.meter.bar_beats
    end_us, end = grid.points[-1]
    off = (phase - (end - bar_from)) % bar
    if min(off, bar - off) <= ROUNDED_BEATS:
        nearest = end + off if off <= ROUNDED_BEATS else end + off - bar
        if nearest > grid.points[-2][1]:
            grid.points[-1] = (end_us, nearest)
        return
    if before.playing:
        _cut_at_bar_line(grid, bar_from, bar)
    begin = grid.points[-2][1]
    wanted = end + off if off <= bar // 2 or end + off - bar <= begin else end + off - bar
    grid.points[-1] = (end_us, wanted)


def _cut_at_bar_line(grid: Grid, bar_from: int, bar: int) -> None:
    """A point on the last bar line before the end: what is behind it may be stretched."""
    end_us, end = grid.points.pop()
    line = bar_from + (end - bar_from - 1) // bar * bar
    while len(grid.points) > 1 and grid.points[-1][1] > line:
        grid.points.pop()
    grid.points.append((end_us, end))
    if grid.points[-2][1] < line:
        (t0, b0), (t1, b1) = grid.points[-2:]
        line_us = t0 + (line - b0) * (t1 - t0) // (b1 - b0)
        if t0 < line_us < t1:
            grid.points.insert(-1, (line_us, line))


def _mark(
    grid: Grid, before: Timeline | None, timeline: Timeline, start_us: int, stop_us: int
) -> None:
    at = grid.points[-1][1]
    where = timeline.position_at(start_us)
    if not timeline.playing:
        if before is not None and before.playing:
            grid.markers.append((at, f"stop at {where}"))
        return
    goes_on = before is not None and before.playing
    song = timeline.song_beats_at(start_us)
    if not goes_on or abs(before.song_beats_at(start_us) - song) > ROUNDED_BEATS:  # type: ignore[union-attr]
        grid.markers.append((at, f"bar {where}"))
    if timeline.loop is None:
        return
    first, last = timeline.beats_at(start_us), timeline.beats_at(stop_us)
    begin = timeline.meter.bar_start(timeline.loop.start_bar)
    end = timeline.meter.bar_start(timeline.loop.end_bar)
    if timeline.origin_beats >= end:
        return
    for fold in range(end, last, end - begin):
        if fold > first:
            grid.markers.append((at + fold - first, f"bar {timeline.loop.start_bar}"))
