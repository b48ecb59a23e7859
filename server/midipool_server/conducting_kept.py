"""What plays and who may change it, in documents and over a restart of the server. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from midipool.messages import Continue, Locate, SetMode, Start, TransportCommand
from midipool.snapshot.mode import ModeSection
from midipool.snapshot.timeline import TimelineSection, section_of
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool.transport import BeginSong, Recall
from midipool_server.authority import taken_over
from midipool_server.floor import Floor
from midipool_server.outgoing import Outgoing
from midipool_server.saving.section import Loading, Section, Then
from midipool_server.schedule import Pending


class KeptPending(msgspec.Struct, frozen=True):
    """A command that has not happened yet."""

    command: TransportCommand | BeginSong | Recall
    at_us: int
    begins_us: int
    on_bar: bool


class KeptConducting(msgspec.Struct, frozen=True):
    """The schedule and the mode."""

    timelines: list[Timeline]
    revision: int
    pending: list[KeptPending]
    mode: ModeSection
    changes: list[tuple[str | None, str, int]]
    """Who, what, and when in room time."""


class Conducted:
    """The part of `Conducting` that is kept."""

    def __init__(self, floor: Floor, keep_us: int) -> None:
        self._floor = floor
        self._keep_us = keep_us

    # ---- documents ----

    def sections(self) -> Sequence[Section]:
        """The timeline, which `Recall` loads, and the mode."""
        return [
            Section("timeline", self._timeline, lambda loading, said: []),
            Section("mode", lambda now_us: self._mode(), self._load_mode, self._check_mode),
        ]

    def _timeline(self, now_us: int) -> TimelineSection:
        """As it is once all has happened that is agreed upon."""
        last = self._floor.schedule.chain.last
        return section_of(last, max(now_us, last.origin_time_us))

    def _mode(self) -> ModeSection:
        return ModeSection(**asdict(self._floor.authority.message()))

    def _check_mode(self, loading: Loading, said: ModeSection) -> None:
        if said == self._mode():
            return
        # Who leads may come later.
        names = self._floor.places.names() | {name for name in (said.leader,) if name is not None}
        asked = SetMode(id=0, mode=said.mode, leader=said.leader)
        self._floor.authority.check_mode(asked, loading.actor, names, loading.now_us)

    def _load_mode(self, loading: Loading, said: ModeSection) -> list[Outgoing]:
        self._set_mode(said, loading.now_us)
        return [Outgoing(self._floor.authority.message())]

    def _set_mode(self, said: ModeSection, now_us: int) -> None:
        until_us = now_us + self._keep_us
        self._floor.authority = taken_over(said.mode, said.leader, said.locked_by, until_us)

    # ---- restarts ----

    def kept(self, changes: list[tuple[str | None, str, int]]) -> KeptConducting:
        """All of it."""
        schedule = self._floor.schedule
        pending = [KeptPending(p.command, p.at_us, p.begins_us, p.on_bar) for p in schedule.pending]
        timelines = list(schedule.chain.timelines)
        return KeptConducting(timelines, schedule.revision, pending, self._mode(), changes)

    def bring_back(self, now_us: int, said: Any, then: Then) -> list[tuple[str | None, str, int]]:
        """As it was; returns the changes."""
        kept, shift_us = msgspec.convert(said, KeptConducting), then.shift_us
        chain = TimelineChain(tuple(kept.timelines)).moved_by(shift_us).since(now_us)
        pending = [_moved(p, shift_us) for p in kept.pending]
        until_us = now_us + self._keep_us
        moved = not then.is_same_clock
        self._floor.schedule.bring_back(chain, kept.revision, pending, until_us, moved)
        self._set_mode(kept.mode, now_us)
        return [(by, text, at_us + shift_us) for by, text, at_us in kept.changes]


def _moved(kept: KeptPending, shift_us: int) -> Pending:
    command = kept.command
    if isinstance(command, Start | Continue | Locate) and command.since is not None:
        command = replace(command, since=command.since + shift_us)
    return Pending(command, kept.at_us + shift_us, kept.begins_us + shift_us, kept.on_bar)
