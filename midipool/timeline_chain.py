"""Timelines in the order in which they take over from one another."""

from collections.abc import Iterator
from dataclasses import dataclass

from midipool.timeline import Timeline


@dataclass(frozen=True)
class TimelineChain:
    """The timeline in force and those agreed upon for later; never empty.

    A newer revision wins from its origin on: whatever an older one had planned for later is gone.
    """

    timelines: tuple[Timeline, ...]

    def at(self, time_us: int) -> Timeline:
        """The timeline in force at `time_us`; before the first origin that is the first one."""
        for timeline in reversed(self.timelines):
            if timeline.origin_time_us <= time_us:
                return timeline
        return self.timelines[0]

    def spans(self, from_us: int) -> Iterator[tuple[Timeline, int, int | None]]:
        """(timeline, start, end) from `from_us` on, in µs; the last has no end."""
        for index, timeline in enumerate(self.timelines):
            start = from_us if index == 0 else max(from_us, timeline.origin_time_us)
            later = self.timelines[index + 1 :]
            end = later[0].origin_time_us if later else None
            if end is None or end > start:
                yield timeline, start, end

    def then(self, timeline: Timeline) -> "TimelineChain":
        """This chain with `timeline` from its origin on."""
        kept = [t for t in self.timelines if t.origin_time_us < timeline.origin_time_us]
        return TimelineChain((*kept, timeline))

    def since(self, time_us: int) -> "TimelineChain":
        """This chain without what was over before `time_us`."""
        first = self.at(time_us)
        return TimelineChain(self.timelines[self.timelines.index(first) :])

    def moved_by(self, shift_us: int) -> "TimelineChain":
        """This chain on a room clock that shows `shift_us` more."""
        return TimelineChain(tuple(t.moved_by(shift_us) for t in self.timelines))

    @property
    def last(self) -> Timeline:
        """The timeline that will be in force when all that was agreed upon has happened."""
        return self.timelines[-1]

    @property
    def revision(self) -> int:
        """The newest revision in the chain."""
        return max(t.revision for t in self.timelines)
