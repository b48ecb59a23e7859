"""What a room plays: its timelines, and the commands that have not happened yet. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from midipool import transport
from midipool.errors import Refused
from midipool.messages import Stop
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

MAX_PENDING = 64
MAX_TAKEN_AGE_US = 400 * 24 * 3600 * 1_000_000
MAX_TAKEN_COUNT = 2**40
MAX_TAKEN_BEATS = 2**50


@dataclass(frozen=True, slots=True)
class Pending:
    """A command that has not happened yet, so that what comes before it can move it."""

    command: transport.Change
    at_us: int
    """Room time that was agreed upon."""
    begins_us: int
    """Room time at which it happens: later than `at_us` with a count-in, or a `since` ahead."""
    on_bar: bool

    def waits_at(self, time_us: int) -> bool:
        """Whether it is under way at `time_us`, and has not happened."""
        return self.at_us <= time_us < self.begins_us


@dataclass(slots=True)
class Schedule:
    """The chain of timelines, and how commands get into it."""

    chain: TimelineChain = TimelineChain((Timeline(),))  # noqa: RUF009 (immutable)
    revision: int = 0
    _pending: list[Pending] = field(default_factory=list)
    _kept_until_us: int | None = None
    """Until then it is what a server that ended had kept, and members may know better."""
    _moved: bool = False
    """Its times are of another clock, so that members know even the same better."""

    def advance(self, now_us: int) -> None:
        """Forget what is over."""
        self.chain = self.chain.since(now_us)
        self._pending = [p for p in self._pending if p.begins_us > now_us]

    def command(self, earliest_us: int, command: transport.Change) -> Timeline:
        """Put a command in, not before `earliest_us`; returns its timeline.

        Those that wait behind it are done again on top of it. Raises Refused and InvalidValue;
        then nothing has changed.
        """
        if len(self._pending) >= MAX_PENDING:
            text = f"{MAX_PENDING} changes are agreed upon and have not happened yet: wait for them"
            raise Refused("too_fast", text)
        before = (self.chain, self.revision, list(self._pending))
        try:
            timeline = self._insert_before_later(earliest_us, command)
            self._kept_until_us = None
            return timeline
        except Exception:
            self.chain, self.revision, self._pending = before
            raise

    def check(self, earliest_us: int, command: transport.Change) -> None:
        """Raise what `command` would raise, and change nothing."""
        tried = Schedule(self.chain, self.revision, list(self._pending))
        tried.command(earliest_us, command)

    def begin(self, now_us: int) -> None:
        """Be a room that has a timeline of its own: from now on none is taken over."""
        if self.revision == 0:
            self._add(transport.going_on(self.chain.at(now_us), now_us))

    @property
    def pending(self) -> list[Pending]:
        """What has not happened yet."""
        return list(self._pending)

    def bring_back(
        self,
        chain: TimelineChain,
        revision: int,
        pending: list[Pending],
        until_us: int,
        moved: bool,
    ) -> None:
        """Be as a server that ended had kept it; until `until_us` members may know better."""
        self.chain, self.revision, self._pending = chain, revision, pending
        self._kept_until_us = until_us if revision else None
        self._moved = moved

    def is_kept(self, now_us: int) -> bool:
        """Whether it was brought back, and nobody has changed it since."""
        return self._kept_until_us is not None and now_us < self._kept_until_us

    def take_over_newer(self, now_us: int, timelines: list[Timeline]) -> bool:
        """Go on with a member's timelines if they are newer than what was brought back.

        Raises Refused.
        """
        newest = max(timeline.revision for timeline in timelines)
        if newest < self.revision or (newest == self.revision and not self._moved):
            return False
        self._go_on_with(now_us, timelines)
        self._moved = False
        return True

    def take_over(self, now_us: int, timelines: list[Timeline]) -> None:
        """Go on with a member's timelines; raises Refused."""
        if self.revision > 0:
            raise Refused("not_fresh", "the room has a timeline already")
        self._go_on_with(now_us, timelines)

    # ---- inside ----

    def _go_on_with(self, now_us: int, timelines: list[Timeline]) -> None:
        if not all(_credible(timeline, now_us) for timeline in timelines):
            raise Refused("bad_value", "nobody has played that long", "timelines")
        first, *later = sorted(timelines, key=lambda t: t.revision)
        chain = TimelineChain((first,))
        for timeline in later:
            chain = chain.then(timeline)
        self.chain, self._pending = chain.since(now_us), []
        self.revision = max(1, self.chain.revision)

    def _insert_before_later(self, earliest_us: int, command: transport.Change) -> Timeline:
        at_us, beats = self._instant(earliest_us, command)
        later = [p for p in self._pending if p.at_us > at_us]
        self._pending = [p for p in self._pending if p.at_us <= at_us]
        base, alone = self.chain.at(at_us), not later
        if transport.waits(command):
            # It would be cut short by what was agreed upon before it.
            later = [p for p in later if not transport.replaces(base, command, p.command)]
        timeline = self._insert(command, at_us, beats, alone)
        for pending in later:
            again_us, beats = self._instant(at_us, pending.command)
            # Without a bar line to wait for any more, it keeps the time that was agreed upon.
            again_us = again_us if beats is not None else max(again_us, pending.at_us)
            self._insert(pending.command, again_us, beats, alone=True)
        return timeline

    def _insert(
        self, command: transport.Change, at_us: int, beats: int | None, alone: bool
    ) -> Timeline:
        """Put a command in at `at_us`, and those that wait across that instant around it.

        Unless it is `alone`, the chain holds what is void and lies behind `at_us`.
        """
        waiting = [p for p in self._pending if p.waits_at(at_us)]
        self._pending = [p for p in self._pending if not p.waits_at(at_us)]
        base = self.chain.at(at_us)
        if transport.stops_first(base, command):
            base = self._add(transport.apply(base, Stop(id=command.id), at_us, beats))
        begins_us = transport.begins_us(base, command, at_us)
        if begins_us > at_us and (waiting or not alone):
            # Everybody must hear that what was planned in between holds no more.
            base = self._add(transport.going_on(base, at_us, beats))
        waiting = [p for p in waiting if not transport.replaces(base, command, p.command)]
        for pending in _in_order(p for p in waiting if p.begins_us < begins_us):
            self._put(pending)
        new = Pending(command, at_us, begins_us, on_bar=beats is not None)
        timeline = self._put(new, beats if begins_us == at_us else None)
        behind = [p for p in waiting if p.begins_us >= begins_us]
        for pending in _in_order(_counted_on(p, command, base, timeline) for p in behind):
            self._put(pending)
        return timeline

    def _put(self, pending: Pending, beats: int | None = None) -> Timeline:
        base = self.chain.at(pending.begins_us)
        timeline = transport.apply(base, pending.command, pending.begins_us, beats)
        self._pending.append(pending)
        return self._add(timeline)

    def _add(self, timeline: Timeline) -> Timeline:
        self.revision += 1
        timeline = replace(timeline, revision=self.revision)
        self.chain = self.chain.then(timeline)
        return timeline

    def _instant(self, earliest_us: int, command: transport.Change) -> tuple[int, int | None]:
        """When a command applies: room time, and the beat if it was chosen by that."""
        # Not before what was agreed upon for now, or that would be taken back.
        started = [p.at_us for p in self._pending if not p.on_bar]
        at_us = max([earliest_us, *started])
        if command.at == "now" and not transport.needs_bar_line(command):
            return at_us, None
        for timeline, start, end in self.chain.spans(at_us):
            if not timeline.playing:
                return start, None
            line = timeline.next_bar_line(start)
            if end is None or timeline.time_at(line) < end:
                return timeline.time_at(line), line
        raise AssertionError("the last span has no end")


def _in_order(pendings: Iterable[Pending]) -> list[Pending]:
    return sorted(pendings, key=lambda pending: pending.begins_us)


def _counted_on(
    waiting: Pending, newer: transport.Change, before: Timeline, after: Timeline
) -> Pending:
    """A command that waits, after `newer` made `after` of the timeline that it waits on."""
    command = transport.counted_from(newer, waiting.command)
    at_us = after.origin_time_us
    begins_us = transport.counted_on(before, after, command, at_us, waiting.begins_us)
    return Pending(command, waiting.at_us, begins_us, waiting.on_bar)


def _credible(timeline: Timeline, now_us: int) -> bool:
    """Whether a timeline can be from a room; numbers near their limits would break it later."""
    age_us = now_us - timeline.origin_time_us
    counts_up = max(timeline.revision, timeline.epoch) <= MAX_TAKEN_COUNT
    return abs(age_us) <= MAX_TAKEN_AGE_US and counts_up and timeline.origin_beats < MAX_TAKEN_BEATS
