"""Where a room is: ws://HOST:PORT/ROOM."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from midipool.errors import InvalidValue

DEFAULT_PORT = 8765


@dataclass(frozen=True, slots=True)
class RoomUrl:
    """A room's address, checked."""

    secure: bool
    host: str
    port: int
    room: str

    def __str__(self) -> str:
        return self._address("wss" if self.secure else "ws", self.room)

    def http(self, path: str) -> str:
        """The address of a path on the same server."""
        return self._address("https" if self.secure else "http", path)

    def _address(self, scheme: str, path: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/{path}"


def parse_room_url(text: str) -> RoomUrl:
    """Read ws://HOST[:PORT]/ROOM or wss://…; raises InvalidValue."""
    expected = f"{text!r} is not a room's address such as ws://127.0.0.1:{DEFAULT_PORT}/jam"
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
    room = parts.path.strip("/")
    if parts.scheme not in ("ws", "wss") or not parts.hostname or not room or "/" in room:
        raise InvalidValue("url", expected)
    secure = parts.scheme == "wss"
    if port is None:
        port = 443 if secure else DEFAULT_PORT
    return RoomUrl(secure=secure, host=parts.hostname, port=port, room=room)
