"""Where the bars of a recording are, and whether they go with the room's. Pure."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from midipool.errors import InvalidValue
from midipool.meter import Loop, Meter, parse_meter
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.recording.manifest import Manifest
from midipool_client.recording.tempo_map import Grid, grid_of

# What microbeats and µs are off by where a bar begins.
ROUNDED_US = 1_000


@dataclass(frozen=True)
class TakeSong:
    """Bars are counted from 1, where the files begin, as in a DAW."""

    bars_us: tuple[int, ...]
    """Where each begins, µs into the recording; the first at 0."""
    length_us: int
    end_us: int
    """Where the last bar would end if it were whole."""
    chain: TimelineChain

    @property
    def bars(self) -> int:
        """How many there are; the last may be cut short."""
        return len(self.bars_us)

    def bar_at(self, take_us: int) -> int:
        """The bar at a place."""
        return max(bisect_right(self.bars_us, take_us + ROUNDED_US), 1)

    def start_of(self, bar: int, field: str = "bar") -> int:
        """Where a bar begins; raises InvalidValue where there is none."""
        if not 1 <= bar <= self.bars:
            raise InvalidValue(field, f"the recording has the bars 1 to {self.bars}, not {bar}")
        return self.bars_us[bar - 1]

    def bar_from(self, take_us: int) -> int:
        """Where the first bar at or after a place begins; the end where there is none."""
        later = [start for start in self.bars_us if start >= take_us - ROUNDED_US]
        return later[0] if later else self.length_us

    def loop_us(self, loop: Loop) -> tuple[int, int]:
        """Where a loop begins and ends, in whole bars; raises InvalidValue."""
        start_us = self.start_of(loop.start_bar, "loop")
        if loop.end_bar == self.bars + 1:
            return start_us, self.end_us
        return start_us, self.start_of(loop.end_bar, "loop")

    def tempo_at(self, take_us: int) -> tuple[int, Meter]:
        """Tempo, in milli-BPM, and meter at a place."""
        timeline = self.chain.at(take_us)
        return timeline.mbpm_at(take_us), timeline.meter

    @property
    def steady(self) -> bool:
        """Whether tempo and meter are the same all along."""
        kept = {(t.mbpm, t.ramp, t.meter) for t in self.chain.timelines}
        return len(kept) == 1 and self.chain.timelines[0].ramp is None

    def beside(self, room: Timeline, room_us: int, take_us: int) -> str:
        """Why it does not go with the room's bars, in words; empty when it does."""
        mbpm, meter = self.tempo_at(take_us)
        there = room.mbpm_at(room_us)
        if (mbpm, meter) != (there, room.meter):
            return (
                f"at its own speed: it was recorded at {mbpm / 1000:g} BPM, {meter}, and the room "
                f"is at {there / 1000:g} BPM, {room.meter}"
            )
        if not self.steady or room.ramp is not None:
            return "at its own speed, which changes: it goes with the room's bars only at times"
        return ""


def song_of(manifest: Manifest) -> TakeSong:
    """A recording's bars; raises InvalidValue where the manifest has no length or tempo."""
    length_us = round(manifest.seconds * 1e6)
    if length_us <= 0 or manifest.bpm <= 0:
        raise InvalidValue("recording", "is empty: there is nothing to play")
    timelines = tuple(manifest.timelines)
    if not timelines:  # of before these were in manifests
        meter = parse_meter(manifest.meter)
        timelines = (Timeline(playing=True, mbpm=round(manifest.bpm * 1000), meter=meter),)
    grid = grid_of(timelines, length_us)
    *bars, end_us = _lines_of(grid, length_us)
    return TakeSong(tuple(bars), length_us, end_us, TimelineChain(timelines))


def _lines_of(grid: Grid, length_us: int) -> list[int]:
    """Bar lines from the first to the one at or behind the end."""
    end = grid.points[-1][1]
    starts = [*grid.meters, (end, grid.meters[-1][1])]
    lines: list[int] = []
    for (at, meter), (until, _) in pairwise(starts):
        lines += range(at, until, meter.bar_beats)
    found = [_time_at(grid, line) for line in lines]
    found = [time_us for time_us in found if time_us < length_us - ROUNDED_US]
    return [*found, _time_at(grid, lines[len(found) - 1] + starts[-1][1].bar_beats)]


def _time_at(grid: Grid, beats: int) -> int:
    """Behind the end the last tempo goes on."""
    spans = list(pairwise(grid.points))
    (t0, b0), (t1, b1) = next((span for span in spans if beats <= span[1][1]), spans[-1])
    return t0 + round((beats - b0) * (t1 - t0) / (b1 - b0))
