"""What one client is sent: bounded, queued without waiting, and written together.

Frames go to the transport by ourselves, in one write for all that is there: a system call for each
message is what a server with thousands of members would spend its time on.
"""

import asyncio
from collections import deque
from collections.abc import Callable

UNREAD_BYTES = 64 * 1024
"""So much may wait in the transport for a client that reads slowly; the rest waits here."""
LOOK_AGAIN_S = 0.05
CAN_WAIT_S = 0.25
"""What says that it can wait is written with what comes until then."""


class Outbox:
    """Text messages for a WebSocket whose frames are not compressed."""

    def __init__(
        self, transport: asyncio.Transport | None, is_open: Callable[[], bool], size: int
    ) -> None:
        self._transport, self._is_open, self._size = transport, is_open, size
        self._messages: deque[bytes] = deque()
        self._flush: asyncio.Handle | None = None
        self._is_soon = False
        """Whether the next flush comes without being asked again."""
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, data: bytes, can_wait: bool = False) -> bool:
        """Queue a message; False if there is no room for it."""
        if len(self._messages) >= self._size:
            return False
        self._messages.append(data)
        self._empty.clear()
        if not self._is_soon:
            self._ask(can_wait)
        return True

    async def written(self) -> None:
        """Until all is handed over to the transport, or there is no transport any more."""
        await self._empty.wait()

    def close(self) -> None:
        """Write nothing any more."""
        self._forget_flush()
        self._messages.clear()
        self._empty.set()

    # ---- inside ----

    def _ask(self, can_wait: bool) -> None:
        loop = asyncio.get_running_loop()
        if not can_wait:
            self._forget_flush()
            self._flush, self._is_soon = loop.call_soon(self._write), True
        elif self._flush is None:
            self._flush = loop.call_later(CAN_WAIT_S, self._write)

    def _forget_flush(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
        self._flush, self._is_soon = None, False

    def _write(self) -> None:
        self._flush, self._is_soon = None, False
        transport = self._transport
        if transport is None or transport.is_closing() or not self._is_open():
            self.close()
            return
        loop = asyncio.get_running_loop()
        while self._messages:
            room = UNREAD_BYTES - transport.get_write_buffer_size()
            if room <= 0:
                # Until then no message that is put asks for anything.
                self._flush, self._is_soon = loop.call_later(LOOK_AGAIN_S, self._write), True
                return
            transport.write(b"".join(self._frames(room)))
        self._empty.set()

    def _frames(self, room: int) -> list[bytes]:
        """The next messages as frames, some of them at least."""
        parts: list[bytes] = []
        while self._messages and room > 0:
            data = self._messages.popleft()
            parts += (_head(len(data)), data)
            room -= len(data)
        return parts


def _head(size: int) -> bytes:
    """What stands in front of a whole text message of a server's."""
    if size < 126:
        return bytes((0x81, size))
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")
