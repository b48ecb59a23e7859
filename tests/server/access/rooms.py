"""A room with a host, a player and a listener, and all that it sends."""

import itertools
from dataclasses import dataclass, field

from midipool.messages import Access, AtTheDoor, Closing, Error, Message, Ok, Role, Welcome
from midipool_server.access.invitations import Invited, Uses
from midipool_server.access.means import Means
from midipool_server.access.state import AccessState, Entry
from midipool_server.media_keys import RoomMedia
from midipool_server.room import Room

from ..simulation import Simulation

HOST, PLAYER, LISTENER, REMOTE = 1, 2, 3, 4
NAMES: dict[int, str] = {HOST: "hanna", PLAYER: "paul", LISTENER: "lisa"}
ROLES: dict[int, Role] = {HOST: "host", PLAYER: "player", LISTENER: "listener"}
NOW_S = 1_700_000_000
KEY = bytes(range(32))
PARTS = ("chat", "songs", "access")


def new_room(state: AccessState | None = None, invited_only: bool = False) -> Room:
    ids = (f"id{n}" for n in itertools.count(1))
    keys = (bytes([n]) * 32 for n in itertools.count(1))
    media = RoomMedia(8766, 7, lambda: next(keys), itertools.count(1))
    means = Means(invited_only, Uses(), lambda: KEY, lambda: next(ids))
    return Room(
        "jam",
        "c10c",
        8765,
        media=media,
        unix_us=lambda _: NOW_S * 1_000_000,
        state=state,
        means=means,
    )


@dataclass
class House(Simulation):
    """People come to its door."""

    room: Room = field(default_factory=new_room)

    def come(
        self,
        id: int,
        name: str = "",
        token: str = "",
        remote: bool = False,
        entry: Entry = Entry(),  # noqa: B008 (immutable)
    ) -> Welcome | None:
        """None while they wait."""
        name = name or NAMES.get(id, f"m{id}")
        _, out = self.room.join(self.now_us, id, name, token, remote, f"{id:032x}", PARTS, entry)
        self.take(out)
        return next((o.message for o in out if isinstance(o.message, Welcome)), None)

    def invited(
        self, id: int, role: Role = "player", uses: int | None = None, token: str = ""
    ) -> Welcome | None:
        invited = Invited("ticket", "jam", role, NOW_S + 60, uses)
        return self.come(id, token=token, entry=Entry("10.0.0.9", invited=invited))

    def say(self, id: int, message: Message) -> list[Message]:
        """What it is answered, and what becomes of it."""
        return [o.message for o in self.take(self.room.handle(self.now_us, id, message))]

    def does(self, id: int, message: Message) -> Ok:
        said = self.take(self.room.handle(self.now_us, id, message))
        [ok] = [o.message for o in said if isinstance(o.message, Ok) and o.to == id]
        return ok

    def role(self, id: int) -> Role:
        return self.room.members[id].role

    def closed(self) -> dict[int, str]:
        """Whose connection was ended, and why."""
        ends = [(o.to, o.message) for _, o in self.sent]
        return {to: m.reason for to, m in ends if isinstance(m, Closing) and to is not None}

    def access(self) -> Access:
        return self.heard(Access)[-1]

    def door(self, id: int) -> AtTheDoor:
        told = [o.message for _, o in self.sent if o.to == id]
        return [m for m in told if isinstance(m, AtTheDoor)][-1]

    def errors(self, id: int) -> list[str]:
        return [a.code for a in self.answers(id) if isinstance(a, Error)]


def house() -> House:
    """hanna is a host, paul a player, lisa a listener; each comes from an address of its own."""
    made = House()
    for id in (HOST, PLAYER, LISTENER):
        made.come(id, entry=Entry(f"192.0.2.{id}"))
    made.room.members[LISTENER].role = "listener"
    made.come(REMOTE, "desk", remote=True)
    return made
