"""The bars that a room plays, one after the other, and when each of their beats comes."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain


class Knot(NamedTuple):
    """A beat of a bar, in micro-beats from its bar line, and its room time."""

    beats: int
    time_us: int


@dataclass(frozen=True, slots=True)
class PlayedBar:
    """A bar as it is played, or the part of it between two jumps of the song."""

    run: int
    """Bars between two stops belong together."""
    knots: tuple[Knot, ...]
    """Its counts, and where the tempo changes; at least two, rising in beats and time."""

    @property
    def start(self) -> Knot:
        """Where it begins: on its bar line unless the song jumped into it."""
        return self.knots[0]

    @property
    def end(self) -> Knot:
        """Where the next bar begins, or the song jumps or stops."""
        return self.knots[-1]

    def time_at(self, beats: int) -> int:
        """Room time of a beat of this bar, `start` to `end`."""
        at = bisect_right(self.knots, beats, key=lambda knot: knot.beats)
        before, after = self.knots[max(at - 1, 0)], self.knots[min(at, len(self.knots) - 1)]
        return _between(beats, before, after, 0, 1)

    def beats_at(self, time_us: int) -> int:
        """The beat of this bar at a room time from `start` to `end`."""
        at = bisect_right(self.knots, time_us, key=lambda knot: knot.time_us)
        before, after = self.knots[max(at - 1, 0)], self.knots[min(at, len(self.knots) - 1)]
        return _between(time_us, before, after, 1, 0)


def _between(value: int, before: Knot, after: Knot, of: int, to: int) -> int:
    if after[of] == before[of]:
        return before[to]
    share = (value - before[of]) * (after[to] - before[to])
    return before[to] + (2 * share + after[of] - before[of]) // (2 * (after[of] - before[of]))


def played_bars(chain: TimelineChain, from_us: int, to_us: int) -> list[PlayedBar]:
    """The bars that are played between two room times, the last one whole.

    A new tempo goes on with a bar, and so does a loop; a locate, a start and a new meter begin
    another one; a stop ends the run. The first one may be a part, from `from_us` on.
    """
    bars: list[PlayedBar] = []
    knots: list[Knot] = []
    run, epoch = 0, None

    def close() -> None:
        if len(knots) > 1:
            bars.append(PlayedBar(run, tuple(knots)))
        knots.clear()

    for timeline, span_start_us, end_us in chain.spans(from_us):
        # What was before the first timeline of all nobody knows.
        start_us = max(span_start_us, timeline.origin_time_us)
        if start_us > to_us:
            break
        if not timeline.playing:
            close()
            run, epoch = run + 1, None
            continue
        if timeline.epoch != epoch:
            close()
        epoch = timeline.epoch
        for knot, ends in _knots(timeline, start_us, end_us, knots[-1] if knots else None):
            if not knots or (knot.beats > knots[-1].beats and knot.time_us > knots[-1].time_us):
                knots.append(knot)
            if ends:
                close()
                if knot.time_us > to_us:
                    return bars
                knots.append(Knot(0, knot.time_us))
    close()
    return bars


def _knots(
    timeline: Timeline, start_us: int, end_us: int | None, last: Knot | None
) -> Iterator[tuple[Knot, bool]]:
    """Knots of a timeline from `start_us` on, and whether each ends its bar.

    `last` is the last one of a bar that goes on from the timeline before; rounded beats may lie a
    micro-beat on the other side of the bar line.
    """
    bar, count = timeline.meter.bar_beats, timeline.meter.count_beats
    beats = timeline.beats_at(start_us)
    line = beats // bar * bar
    if last is not None and start_us == last.time_us:
        line = (2 * (beats - last.beats) + bar) // (2 * bar) * bar
    yield Knot(max(beats - line, 0), start_us), False
    at = max(beats - line, 0)
    while True:
        at = (at // count + 1) * count
        time_us = timeline.time_at(line + at)
        if end_us is not None and time_us >= end_us:
            at = timeline.beats_at(end_us) - line
            yield Knot(at, end_us), at >= bar
            return
        yield Knot(at, time_us), at >= bar
        if at >= bar:
            line, at = line + bar, 0
