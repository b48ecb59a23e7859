"""Datagrams of the clock: 44 bytes, big-endian. `native/src/clock_responder.c` answers them.

0  kind     u8   0xF0 probe, 0xF1 reply (0 to 3 are STUN's, and ours start above 0xEF)
1  version  u8   1
2  zero     u16
4  nonce    u64  chosen by the client, repeated in the reply
12 t1_ns    i64  client's clock when the probe was sent, repeated in the reply
20 t2_ns    i64  room clock when the probe arrived; 0 in a probe
28 t3_ns    i64  room clock when the reply was sent; 0 in a probe
36 clock_id 8    names the room clock; zero in a probe
"""

import struct
from dataclasses import dataclass

from midipool.errors import InvalidDatagram

PROBE, REPLY = 0xF0, 0xF1
VERSION = 1
_LAYOUT = struct.Struct(">BBHQqqq8s")
SIZE = _LAYOUT.size


@dataclass(frozen=True, slots=True)
class ClockReplyDatagram:
    """The answer to a clock probe."""

    nonce: int
    t1_ns: int
    t2_ns: int
    t3_ns: int
    clock_id: str


def encode_clock_probe(nonce: int, t1_ns: int) -> bytes:
    """A probe, as long as its reply so that nobody can be flooded through a server."""
    return _LAYOUT.pack(PROBE, VERSION, 0, nonce, t1_ns, 0, 0, bytes(8))


def decode_clock_reply(data: bytes) -> ClockReplyDatagram:
    """A reply; raises InvalidDatagram."""
    if len(data) != SIZE:
        raise InvalidDatagram(f"{len(data)} bytes instead of {SIZE}")
    kind, version, zero, nonce, t1_ns, t2_ns, t3_ns, clock_id = _LAYOUT.unpack(data)
    if kind != REPLY or version != VERSION or zero != 0:
        raise InvalidDatagram("not a clock reply of this version")
    return ClockReplyDatagram(nonce, t1_ns, t2_ns, t3_ns, clock_id.hex())
