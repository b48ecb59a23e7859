"""What an end of midiPool tells a LAN of itself: the TXT record of `_midipool._tcp`. Pure.

Whoever is on the LAN may announce anything. So all that is read is checked, cut and made printable
here, and what cannot be meant is as if it was not said.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from midipool import PROTOCOL_VERSION
from midipool.audio.health import fit
from midipool.errors import InvalidValue
from midipool.lan.formats import line_of, read_line
from midipool.messages import AudioStream, RoomName

SERVICE = "_midipool._tcp.local."
MAX_NAME = 64
MAX_LABEL_BYTES = 59
"""Of the 63 that DNS allows; the rest is for `-2` and so on."""
MAX_ROOMS_BYTES = 200
MAX_RECORDS = 32
MAX_VALUE_BYTES = 255

Kind = Literal["server", "player"]


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """One end, as it describes itself."""

    kind: Kind
    name: str
    """For people."""
    version: int = PROTOCOL_VERSION
    tls: bool = False
    """Whether the server is reached by wss:// alone."""
    rooms: list[str] | None = None
    """The server's rooms; None when its host does not list them."""
    more_rooms: int = 0
    """So many more that found no place."""
    room: str | None = None
    """The room that a server was opened for."""
    audio: AudioStream | None = None
    """What a player sends."""

    def txt(self) -> dict[str, str]:
        """The TXT record."""
        said = {"v": str(self.version), "kind": self.kind, "name": _cut(self.name, MAX_VALUE_BYTES)}
        if self.kind == "server":
            said["tls"] = str(int(self.tls))
        if self.rooms is not None:
            shown = _that_fit(self.rooms)
            said["rooms"] = ",".join(shown)
            if more := len(self.rooms) - len(shown) + self.more_rooms:
                said["more"] = str(more)
        if self.room is not None:
            said["room"] = self.room
        if self.audio is not None:
            said["audio"] = line_of(self.audio)
        return said


def label_of(name: str) -> str:
    """The name as one label of DNS; never empty. A dot would begin another label."""
    return _cut(fit(name).replace(".", " "), MAX_LABEL_BYTES).strip() or "midiPool"


def read_txt(label: str, properties: Mapping[bytes, bytes | None]) -> Announcement:
    """What an instance named `label` says of itself; raises InvalidValue for what is none of ours.

    Who was renamed, as another has its name, is shown by the label that it got.
    """
    said = _texts(properties)
    kind = said.get("kind")
    if kind not in get_args(Kind):
        raise InvalidValue("kind", f"must be {' or '.join(get_args(Kind))}")
    name, label = printable(said.get("name", "")), printable(label)
    if not name or label_of(name).casefold() != label.casefold():
        name = label
    if not name:
        raise InvalidValue("name", "must not be empty")
    rooms = said.get("rooms")
    return Announcement(
        kind="server" if kind == "server" else "player",
        name=name,
        version=_number(said.get("v"), PROTOCOL_VERSION + 1, default=0),
        tls=said.get("tls") == "1",
        rooms=None if rooms is None else [room for room in rooms.split(",") if is_room(room)],
        more_rooms=_number(said.get("more"), 99_999, default=0),
        room=room if is_room(room := said.get("room", "")) else None,
        audio=read_line(said["audio"]) if "audio" in said else None,
    )


def printable(text: str) -> str:
    """A name from the network: one line, nothing in it that moves or hides other text."""
    return fit(text)[:MAX_NAME].strip()


def is_room(name: str) -> bool:
    """Whether a room can have this name."""
    try:
        msgspec.convert(name, RoomName)
    except msgspec.ValidationError:
        return False
    return True


def _texts(properties: Mapping[bytes, bytes | None]) -> dict[str, str]:
    """Keys and values as text; what is too long or too much is left out."""
    found: dict[str, str] = {}
    for key, value in list(properties.items())[:MAX_RECORDS]:
        if value is not None and len(key) <= 16 and len(value) <= MAX_VALUE_BYTES:
            found[key.decode("utf-8", "replace").lower()] = value.decode("utf-8", "replace")
    return found


def _number(text: str | None, most: int, default: int) -> int:
    """A whole number that is not negative, `most` if it is larger."""
    if text is None or not (text.isascii() and text.isdecimal()):
        return default
    return min(int(text), most)


def _that_fit(rooms: list[str]) -> list[str]:
    shown: list[str] = []
    left = MAX_ROOMS_BYTES
    for room in rooms:
        left -= len(room.encode()) + 1
        if left < 0:
            break
        shown.append(room)
    return shown


def _cut(text: str, most: int) -> str:
    """As many characters as fit into so many bytes."""
    return text.encode()[:most].decode(errors="ignore")
