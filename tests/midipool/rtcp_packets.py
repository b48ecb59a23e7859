"""RTCP packets made by hand, and compounds of them that are fine but for what a test changes."""

import struct

SSRC = 0x01020304
NTP_2026 = 0xEEAB_F228_0000_0000


def packet(kind: int, count: int, body: bytes, padding: bool = False) -> bytes:
    first = 0x80 | (0x20 if padding else 0) | count
    return struct.pack(">BBH", first, kind, len(body) // 4) + body


def block(ssrc: int) -> bytes:
    return struct.pack(">IIIIII", ssrc, 0, 7, 0, 0, 0)


def sender_report(ssrc: int = SSRC, ntp: int = NTP_2026, blocks: int = 0) -> bytes:
    body = struct.pack(">IQIII", ssrc, ntp, 480, 1, 480) + block(9) * blocks
    return packet(200, blocks, body)


def receiver_report(ssrc: int = SSRC, blocks: int = 0) -> bytes:
    return packet(201, blocks, struct.pack(">I", ssrc) + block(9) * blocks)


def items(*pairs: tuple[int, bytes]) -> bytes:
    """SDES items with the zero after them, filled up to whole words."""
    told = b"".join(bytes((kind, len(text))) + text for kind, text in pairs) + b"\0"
    return told + bytes(-len(told) % 4)


def description(ssrc: int = SSRC, name: bytes = b"drums@jam") -> bytes:
    return packet(202, 1, struct.pack(">I", ssrc) + items((1, name)))


def extended(ssrc: int = SSRC, *blocks: bytes) -> bytes:
    return packet(207, 0, struct.pack(">I", ssrc) + b"".join(blocks))


REFERENCE_TIME = struct.pack(">BBHQ", 4, 0, 2, NTP_2026)
