"""Messages on a pipe: each behind its length, u32, big-endian."""

from typing import BinaryIO

MAX_BYTES = 1 << 22


def framed(body: bytes) -> bytes:
    """A message behind its length."""
    return len(body).to_bytes(4, "big") + body


def read_body(source: BinaryIO) -> bytes | None:
    """The next message; None when the input has ended, or is none of ours."""
    head = source.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    if size > MAX_BYTES:
        return None
    body = source.read(size)
    return body if len(body) == size else None
