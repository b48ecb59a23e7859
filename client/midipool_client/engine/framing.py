"""Messages on a pipe: each behind its length, u32, big-endian."""

import os
from typing import BinaryIO

from midipool.errors import InvalidMessage

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


class Frames:
    """Takes messages out of a stream of bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def take(self, data: bytes) -> list[bytes]:
        """Those that are whole now; raises InvalidMessage for one that is too long."""
        held = self._bytes
        held += data
        found, at = [], 0
        while len(held) >= at + 4:
            size = int.from_bytes(held[at : at + 4], "big")
            if size > MAX_BYTES:
                raise InvalidMessage(f"a message of {size} bytes: {MAX_BYTES} is the most")
            if len(held) < at + 4 + size:
                break
            found.append(bytes(held[at + 4 : at + 4 + size]))
            at += 4 + size
        del held[:at]
        return found


class Input:
    """What the client says, without waiting for it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.ended = False
        self._frames = Frames()

    def take(self) -> list[bytes]:
        """The messages that are there, when `fd` is readable."""
        data = os.read(self.fd, 1 << 16)
        self.ended = not data
        try:
            return self._frames.take(data)
        except InvalidMessage:
            self.ended = True
            return []
