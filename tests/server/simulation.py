"""A room on virtual time, and all that it sends."""

from dataclasses import dataclass, field
from typing import TypeVar

from midipool.messages import BarSync, Error, Message, Ok, SetMode, TransportCommand, Welcome
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_server.outgoing import Outgoing
from midipool_server.room import Room

M = TypeVar("M", bound=Message)

SECOND = 1_000_000
BEGIN_US = 5_000 * SECOND
ANNA, BERT, CARL, DORA = 1, 2, 3, 4
NAMES = {ANNA: "anna", BERT: "bert", CARL: "carl", DORA: "dora"}


@dataclass
class Simulation:
    """A room, its clock, and all that it sent, with the time of sending."""

    room: Room = field(default_factory=lambda: Room("jam", "c10c", 8765))
    now_us: int = BEGIN_US
    sent: list[tuple[int, Outgoing]] = field(default_factory=list)

    def take(self, out: list[Outgoing]) -> list[Outgoing]:
        self.sent += [(self.now_us, o) for o in out]
        return out

    def join(
        self, id: int = ANNA, name: str = "anna", token: str = "", remote: bool = False
    ) -> Welcome:
        _, out = self.room.join(self.now_us, id, name, token, remote, f"{id:032x}")
        self.take(out)
        [welcome] = [o.message for o in out if isinstance(o.message, Welcome)]
        assert out[0].to == id
        return welcome

    def command(self, command: TransportCommand | SetMode, id: int = ANNA) -> Ok:
        out = self.take(self.room.handle(self.now_us, id, command))
        assert isinstance(out[0].message, Ok)
        assert out[0].to == id
        return out[0].message

    def run_to(self, time_us: int) -> None:
        """Poll when the room asks for it, as its host does."""
        while (deadline := self.room.next_deadline()) is not None and deadline <= time_us:
            assert deadline > self.now_us or self.now_us == BEGIN_US, "it spins"
            self.now_us = max(deadline, self.now_us)
            self.take(self.room.poll(self.now_us))
            again = self.room.next_deadline()
            assert again is None or again > self.now_us, "it spins"
        self.now_us = time_us

    def run(self, us: int) -> None:
        self.run_to(self.now_us + us)

    def syncs(self) -> list[tuple[int, BarSync]]:
        return [(at, o.message) for at, o in self.sent if isinstance(o.message, BarSync)]

    def timeline_at(self, time_us: int) -> Timeline:
        return self.room.chain.at(time_us)

    def heard(self, of: type[M], since_us: int = 0) -> list[M]:
        """What everybody was told, of one type."""
        return [
            o.message
            for at, o in self.sent
            if o.to is None and isinstance(o.message, of) and at >= since_us
        ]

    def answers(self, id: int) -> list[Ok | Error]:
        """What one connection was answered."""
        return [o.message for _, o in self.sent if o.to == id and isinstance(o.message, Ok | Error)]

    def listened(self) -> TimelineChain:
        """What a member knows that only listens, as its follower puts it together."""
        known = TimelineChain((Timeline(),))
        for _, sync in self.syncs():
            if sync.timeline not in known.timelines and sync.revision >= known.revision:
                known = known.then(sync.timeline)
        return known
