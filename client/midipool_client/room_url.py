"""Where a room is: ws://HOST:PORT/ROOM, or an invitation's link to it."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from midipool.errors import InvalidValue

DEFAULT_PORT = 8765
_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_INVITE = re.compile(r"invite=([A-Za-z0-9_.-]{1,512})")


@dataclass(frozen=True, slots=True)
class RoomUrl:
    """A room's address, checked."""

    secure: bool
    host: str
    port: int
    room: str
    invitation: str = field(default="", repr=False, compare=False)
    """What stands behind `#invite=`; never a part of the address, so in no log and no file."""
    password: str | None = field(default=None, repr=False, compare=False)
    """Of the room, if one was given."""
    certificate: str = field(default="", repr=False, compare=False)
    """A file: the only certificate that the server may show, and then under any name."""

    def __str__(self) -> str:
        return self._address("wss" if self.secure else "ws", self.room)

    def http(self, path: str) -> str:
        """The address of a path on the same server."""
        return self._address("https" if self.secure else "http", path)

    def _address(self, scheme: str, path: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/{path}"


def parse_room_url(text: str) -> RoomUrl:
    """Read ws://HOST[:PORT]/ROOM or wss://…, or http(s)://…#invite=…; raises InvalidValue."""
    shown = text.partition("#")[0]
    expected = f"{shown!r} is not a room's address such as ws://127.0.0.1:{DEFAULT_PORT}/jam"
    try:
        parts = urlsplit(text)
    except ValueError:
        raise InvalidValue("url", expected) from None
    try:
        port = parts.port
    except ValueError:
        raise InvalidValue(
            "url", f"{expected} (the port is not a number from 1 to 65535)"
        ) from None
    scheme = _SCHEMES.get(parts.scheme, "")
    by_browser = parts.scheme.startswith("http")
    room = parts.path.strip("/")
    room = room.removeprefix("rooms/") if by_browser else room
    if not scheme or not parts.hostname or not room or "/" in room:
        raise InvalidValue("url", expected)
    secure = scheme == "wss"
    if port is None:
        port = 443 if secure else 80 if by_browser else DEFAULT_PORT
    invitation = _invitation_in(parts.fragment)
    return RoomUrl(secure, parts.hostname, port, room, invitation)


def _invitation_in(fragment: str) -> str:
    if not fragment:
        return ""
    match = _INVITE.fullmatch(fragment)
    if match is None:
        rule = "what stands behind # is no invitation: copy the whole link, or leave # out"
        raise InvalidValue("url", rule)
    return match[1]
