"""The rooms that a player was in last, as the settings file keeps them. Pure."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from midipool.errors import InvalidValue
from midipool_client.room_url import DEFAULT_PORT, RoomUrl, parse_room_url

MOST = 8
_ADDRESS = re.compile(
    r"\b(wss?|https?)://([^/\s'\"]+)/(?:rooms/)?([^/\s'\"?#]+)(#invite=[A-Za-z0-9_.-]+)?"
)


class RecentRoom(msgspec.Struct, frozen=True):
    """A room, and who we were there."""

    url: str
    name: str


def recent_in(data: Mapping[str, Any]) -> list[RecentRoom]:
    """What a file says, the newest first; what is no room is passed over."""
    said = data.get("recent", [])
    found = []
    for one in said if isinstance(said, list) else []:
        try:
            found.append(msgspec.convert(one, RecentRoom))
        except msgspec.ValidationError:
            continue
    return found[:MOST]


def with_room(before: list[RecentRoom], room: RecentRoom) -> list[RecentRoom]:
    """The list after we were in a room."""
    return [room, *(other for other in before if other.url != room.url)][:MOST]


def address_of(server: str, room: str) -> RoomUrl:
    """Where to go by what was typed or pasted; raises InvalidValue.

    That is a host and a room, or a text that holds a whole address: of a room, of its page on the
    server, or the command that joins it.
    """
    server, room = server.strip(), room.strip()
    if (pasted := _ADDRESS.search(server)) is not None:
        scheme, host, name, invitation = pasted.groups()
        return parse_room_url(f"{scheme}://{host}/{name}{invitation or ''}")
    if not server:
        raise InvalidValue("server", f"say where the room is, such as 127.0.0.1:{DEFAULT_PORT}")
    if not room:
        raise InvalidValue("room", "say the room's name, such as jam")
    scheme, _, host = server.rpartition("://")
    return parse_room_url(f"{scheme or 'ws'}://{host.rstrip('/')}/{room}")
