"""What a member knows of its room, and what follows from each message. Pure.

The member plays on its own timelines for as long as it must (a flywheel); the server's are adopted
as soon as its clock is known.
"""

from dataclasses import dataclass

from midipool.clock_sync import ProbeSample
from midipool.messages import (
    MAX_TIMELINES,
    BarSync,
    MemberInfo,
    Members,
    Message,
    RoomMode,
    Takeover,
    Welcome,
)
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.clock_keeper import ClockChange, ClockKeeper


@dataclass(frozen=True, slots=True)
class Follow:
    """Play `chain`; with `lost` the device's place in the song is unknown."""

    chain: TimelineChain
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message to the server."""

    message: Message


Action = ClockChange | Follow | Send


class RoomFollower:
    """Takes messages and probes; returns what is to be done, in order."""

    def __init__(self) -> None:
        self.keeper = ClockKeeper()
        self.chain = TimelineChain((Timeline(),))
        self.token = ""
        self.clock_port = 0
        self.members: list[MemberInfo] = []
        self.mode = self._kept_mode = RoomMode(mode="open")
        """What the room says, and what a room that has begun anew is told by us."""
        self._server_chain: TimelineChain | None = None
        self._server_is_fresh = False
        self._offered = False
        """We sent a takeover, and do not know yet whether another member was faster."""

    def welcome(self, message: Welcome, now_ns: int) -> list[Action]:
        """The server let us in."""
        self.token = message.token
        self.clock_port = message.clock_port
        self.members = message.members
        self.mode = RoomMode(message.mode, message.leader, message.locked_by)
        if not message.fresh:
            self._kept_mode = self.mode
        self.keeper.use_clock(message.clock_id)
        timelines = sorted(message.timelines, key=lambda t: t.origin_time_us)
        self._server_chain = TimelineChain(tuple(timelines) or (Timeline(),))
        self._server_is_fresh = message.fresh
        self._offered = False
        return self._settle(now_ns)

    def bar_sync(self, message: BarSync, now_ns: int) -> list[Action]:
        """A bar line or a change is announced."""
        known = self._server_chain
        if known is None:
            return []
        begun = self._server_is_fresh or self._offered
        self._server_is_fresh = self._offered = False
        if begun:
            self._kept_mode = self.mode
        if message.timeline in known.timelines:
            return []
        if begun:
            self._server_chain = TimelineChain((message.timeline,))
        elif message.revision >= known.revision:
            self._server_chain = known.then(message.timeline)
        return self._settle(now_ns)

    def member_list(self, message: Members) -> list[Action]:
        """Somebody came or went."""
        self.members = message.members
        return []

    def room_mode(self, message: RoomMode) -> list[Action]:
        """The room's mode was set."""
        self.mode = self._kept_mode = message
        return []

    def probe(self, sample: ProbeSample, now_ns: int) -> list[Action]:
        """A clock probe came back."""
        change = self.keeper.add(sample, now_ns)
        if change is None:
            return []
        if change.shift_us:
            self.chain = self.chain.moved_by(change.shift_us)
        lost = [Follow(self.chain, lost=True)] if change.lost else []
        return [change, *lost, *self._settle(now_ns)]

    def slept(self, asleep_ns: int, now_ns: int) -> list[Action]:
        """This machine slept."""
        change = self.keeper.slept(asleep_ns, now_ns)
        return [] if change is None else [change, Follow(self.chain, lost=True)]

    def disconnected(self) -> None:
        """The server is away: play on."""
        self._server_chain = None

    def _settle(self, now_ns: int) -> list[Action]:
        """Adopt the server's timelines, or hand it ours, once its clock is known."""
        room_us = self.keeper.room_us(now_ns)
        if self._server_chain is None or self.keeper.measuring or room_us is None:
            return []
        self.chain = self.chain.since(room_us)
        if self._server_is_fresh and self.chain.revision > 0:
            self._server_is_fresh, self._offered = False, True
            self._server_chain = self.chain
            timelines = list(self.chain.timelines[:MAX_TIMELINES])
            mode = self._kept_mode
            return [Send(Takeover(timelines, mode.mode, mode.leader, mode.locked_by))]
        self._server_chain = self._server_chain.since(room_us)
        if self._server_chain == self.chain:
            return []
        # A room that began anew has nothing to do with what the device plays.
        begun_anew = (
            self._server_chain.revision < self.chain.revision
            or self._server_chain.last.epoch < self.chain.last.epoch
        )
        self.chain = self._server_chain
        return [Follow(self.chain, lost=begun_anew)]
