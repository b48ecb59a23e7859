"""All rooms of a server, by name. Pure: rooms come and go here, nothing is sent from here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from midipool import messages
from midipool.errors import Refused
from midipool_server.access.means import Means
from midipool_server.access.state import AccessState
from midipool_server.media_keys import RoomMedia
from midipool_server.modules.specs import ModuleSpec
from midipool_server.room import Room

RESERVED_NAMES = {"api", "healthz", "metrics", "readyz", "rooms", "static"}


@dataclass(slots=True)
class Lobby:
    """The rooms. A room exists from its first member on, and ends when no place in it is kept."""

    clock_id: str
    clock_port: int = 0
    max_rooms: int = 1000
    max_members: int = 64
    keep_us: int = 120_000_000
    new_media: Callable[[], RoomMedia] | None = None
    """Keys for the audio of a new room; None on a server that has no relay."""
    unix_us: Callable[[int], int] = lambda room_us: room_us
    """The wall-clock time of a room time, for people."""
    wall_clock: Callable[[int], str] = lambda room_us: ""
    """The same in words."""
    stun_ports: list[int] = field(default_factory=list)
    """UDP ports that answer STUN."""
    means: Means = field(default_factory=Means)
    """What the access of all rooms has in common."""
    first_state: Callable[[str], AccessState] = lambda room: AccessState()
    """Who may come into a room that begins; raises Refused."""
    programs: Mapping[str, ModuleSpec] = field(default_factory=dict)
    """What the operator lets rooms run."""
    rooms: dict[str, Room] = field(default_factory=dict)

    def enter(self, name: str, remote: bool) -> Room:
        """The room of this name, made if a member asks for it; raises Refused."""
        room = self.rooms.get(name)
        if room is not None:
            return room
        check_room_name(name)
        if remote:
            text = (
                f"there is no room {name!r} on this server: a room exists while somebody is in it"
            )
            raise Refused("no_such_room", text, "room")
        if len(self.rooms) >= self.max_rooms:
            text = f"this server takes {self.max_rooms} rooms (max_rooms), and has as many"
            raise Refused("server_full", text)
        room = Room(
            name=name,
            clock_id=self.clock_id,
            clock_port=self.clock_port,
            max_members=self.max_members,
            keep_us=self.keep_us,
            unix_us=self.unix_us,
            wall_clock=self.wall_clock,
            media=self.new_media() if self.new_media is not None else None,
            state=self.first_state(name),
            means=self.means,
            programs=self.programs,
        )
        self.rooms[name] = room
        return room

    def keeps(self, room: str, name: str, token: str) -> bool:
        """Whether somebody comes back to a place that is kept in a room."""
        found = self.rooms.get(room)
        return found is not None and found.places.keeps(name, token)

    def close_if_empty(self, room: Room) -> None:
        """End a room that nobody is in."""
        if room.empty:
            self.rooms.pop(room.name, None)


def check_room_name(name: str) -> None:
    """Raise Refused unless `name` can be a room's."""
    try:
        msgspec.convert(name, messages.RoomName)
    except msgspec.ValidationError:
        text = f"a room's name has {messages.ROOM_NAME_RULE}"
        raise Refused("bad_room", text, "room") from None
    if name in RESERVED_NAMES:
        raise Refused("bad_room", f"{name!r} is not a room: the server uses it", "room")
