"""Messages on a pipe: each behind its length, u32, big-endian."""

import os
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


class Input:
    """What the client says, without waiting for it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.ended = False
        self._bytes = bytearray()

    def take(self) -> list[bytes]:
        """The messages that are there, when `fd` is readable."""
        data = os.read(self.fd, 1 << 16)
        self.ended = not data
        self._bytes += data
        found = []
        while len(self._bytes) >= 4:
            size = int.from_bytes(self._bytes[:4], "big")
            if size > MAX_BYTES:
                self.ended = True
                break
            if len(self._bytes) < 4 + size:
                break
            found.append(bytes(self._bytes[4 : 4 + size]))
            del self._bytes[: 4 + size]
        return found
