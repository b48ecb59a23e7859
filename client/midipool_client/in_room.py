"""What every member has of its room: timelines and clock. The edge where time is read."""

from midipool.clock_map import ClockMap
from midipool.clock_sync import ProbeSample
from midipool.messages import MemberStatus
from midipool.timeline_chain import TimelineChain
from midipool_client.clock_keeper import ClockKeeper
from midipool_client.follower import Action, RoomFollower
from midipool_client.room_session import RoomSession
from midipool_native import host_clock


class InRoom:
    """The base of members; `do` is theirs."""

    follower: RoomFollower
    _session: RoomSession

    def do(self, actions: list[Action]) -> None:
        """What follows from what came."""
        raise NotImplementedError

    @property
    def chain(self) -> TimelineChain:
        """The room's timelines."""
        return self.follower.chain

    @property
    def keeper(self) -> ClockKeeper:
        """The room's clock."""
        return self.follower.keeper

    def room_us(self) -> int | None:
        """The room's time now; None while it is not known."""
        return self.keeper.room_us(host_clock.now_ns())

    def clock_map(self) -> ClockMap | None:
        """Host time to room time; None while it is not known."""
        return self.keeper.map

    def probed(self, sample: ProbeSample, new_way: bool) -> None:
        """A clock probe came back."""
        if new_way:
            # What came by WebSocket went another way, with other delays.
            self.keeper.forget()
        self.do(self.follower.probe(sample, host_clock.now_ns()))

    def jitter_ns(self) -> int | None:
        """Of the probes, as far as it is known."""
        estimate = self.keeper.estimate
        return None if estimate is None else estimate.jitter_ns

    def status(self) -> MemberStatus | None:
        """How our clock does; None before it is measured."""
        estimate = self.keeper.estimate
        if estimate is None:
            return None
        return MemberStatus(
            round_trip_us=estimate.round_trip_ns / 1000,
            error_bound_us=estimate.error_bound_ns / 1000,
            drift_ppm=round(estimate.drift * 1e6, 3),
            jitter_us=estimate.jitter_ns / 1000,
            offset_us=estimate.offset_ns / 1000,
            probes="udp" if self._session.udp_answers else "websocket",
        )
