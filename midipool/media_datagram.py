"""Sealed datagrams of audio: 22 bytes of header, big-endian. native/src/media_seal.c is the twin.

0   kind        u8   0xF0 source, 0xF1 repair, 0xF2 control (reserved: none is sent, and what comes
                     is dropped), 0xF3 hello, 0xF4 hello_ok, 0xF5 keepalive (0 to 3 are STUN's on
                     the same socket)
1   version     u8   1
2   key_id      u16  names the room's key
4   sender      u32  names a member under this key; 0 is the server
8   counter     u48  of this sender under this key: from 1, higher in each datagram
14  capture_us  i64  room time at which the payload's first sample was recorded
22  sealed           the payload (0 to 1434 bytes), encrypted, and 16 bytes of tag
"""

import enum
import struct
from dataclasses import dataclass

from midipool.errors import InvalidDatagram, InvalidValue

VERSION = 1
HEADER_SIZE = 22
TAG_SIZE = 16
KEY_SIZE = 32
MAX_DATAGRAM = 1472
MAX_PAYLOAD = MAX_DATAGRAM - HEADER_SIZE - TAG_SIZE
REPLAY_WINDOW = 1024
SERVER = 0
"""The server's sender id."""
_LAYOUT = struct.Struct(">BBHIHIq")
_FIRST_KIND = 0xF0
_LIMITS = {"key_id": 1 << 16, "sender": 1 << 32, "counter": 1 << 48}


class MediaKind(enum.IntEnum):
    """What a datagram carries."""

    SOURCE = 0
    REPAIR = 1
    CONTROL = 2
    HELLO = 3
    HELLO_OK = 4
    KEEPALIVE = 5


@dataclass(frozen=True, slots=True)
class MediaHeader:
    """What stands before the sealed payload; `capture_us` is room time."""

    kind: MediaKind
    key_id: int
    sender: int
    counter: int
    capture_us: int = 0

    def __post_init__(self) -> None:
        """Raises InvalidValue."""
        for field, end in _LIMITS.items():
            least = 1 if field == "counter" else 0
            if not least <= getattr(self, field) < end:
                raise InvalidValue(field, f"{least} to {end - 1}")
        if not -(1 << 63) <= self.capture_us < 1 << 63:
            raise InvalidValue("capture_us", "must fit 64 bits")


def pack_header(header: MediaHeader) -> bytes:
    """The 22 bytes, which are the seal's associated data."""
    return _LAYOUT.pack(
        _FIRST_KIND + header.kind,
        VERSION,
        header.key_id,
        header.sender,
        header.counter >> 32,
        header.counter & 0xFFFFFFFF,
        header.capture_us,
    )


def parse_header(datagram: bytes) -> MediaHeader:
    """The header of a whole datagram, of which nothing is authenticated; raises InvalidDatagram."""
    if not HEADER_SIZE + TAG_SIZE <= len(datagram) <= MAX_DATAGRAM:
        least = HEADER_SIZE + TAG_SIZE
        raise InvalidDatagram(f"{len(datagram)} bytes instead of {least} to {MAX_DATAGRAM}")
    kind, version, key_id, sender, high, low, capture_us = _LAYOUT.unpack_from(datagram)
    if not 0 <= kind - _FIRST_KIND < len(MediaKind) or version != VERSION:
        raise InvalidDatagram("not a media datagram of this version")
    if high == low == 0:
        raise InvalidDatagram("a counter begins at 1")
    return MediaHeader(MediaKind(kind - _FIRST_KIND), key_id, sender, high << 32 | low, capture_us)


def nonce(header: MediaHeader) -> bytes:
    """The 12 bytes under which a datagram is sealed: never the same twice under one key."""
    return pack_header(header)[4:14] + bytes(2)
