"""A WebSocket without a network, for a server's connection: what aiohttp gives it, and no more."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Self

from aiohttp import WSMsgType

from midipool_server.connection import Connection
from midipool_server.outbox import UNREAD_BYTES

END = object()


class Transport:
    """Takes what the server writes; while `stalled` nothing gets through."""

    def __init__(self, abort: Callable[[], None], take: Callable[[bytes], None]) -> None:
        self.stalled = False
        self._abort, self._take = abort, take
        self._closing = False

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return UNREAD_BYTES if self.stalled else 0

    def write(self, data: bytes) -> None:
        for text in frames(data):
            self._take(text)

    def abort(self) -> None:
        self._closing = True
        self._abort()


def frames(data: bytes) -> list[bytes]:
    """The texts of whole frames of a server's."""
    found, at = [], 0
    while at < len(data):
        assert data[at] == 0x81, data[at : at + 10]
        size, head = data[at + 1], 2
        if size == 126:
            size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
        elif size == 127:
            size, head = int.from_bytes(data[at + 2 : at + 10], "big"), 10
        found.append(data[at + head : at + head + size])
        at += head + size
    return found


class Wire:
    """The client's end is `say`, `leave` and `break_off`; `heard` is called with each text."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self.closed = False
        self.close_code: int | None = None
        self.idle = False
        """Whether all that was said was taken in, and more is waited for."""
        self.transport = Transport(self.break_off, heard)
        self._heard = heard
        self._said: asyncio.Queue[Any] = asyncio.Queue()

    def connection(self, id: int) -> Connection:
        """The server's end."""
        request: Any = SimpleNamespace(
            headers={}, remote=f"10.0.{id >> 8 & 255}.{id & 255}", secure=False
        )
        request.transport = self.transport
        return Connection(id, self, request)  # type: ignore[arg-type]

    def say(self, data: str | bytes) -> None:
        """Send a message."""
        kind = WSMsgType.TEXT if isinstance(data, str) else WSMsgType.BINARY
        self.idle = False
        self._said.put_nowait(SimpleNamespace(type=kind, data=data))

    def leave(self) -> None:
        """Close in order."""
        self._end(1000)

    def break_off(self) -> None:
        """The network goes."""
        self._end(1006)

    def _end(self, code: int) -> None:
        self.idle = False
        self.close_code = self.close_code or code
        self.closed = True
        self._said.put_nowait(END)

    # ---- what a connection calls ----

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        self.idle = self._said.empty()
        said = await self._said.get()
        if said is END:
            raise StopAsyncIteration
        return said

    async def send_str(self, text: str) -> None:
        if self.closed:
            raise ConnectionResetError
        self._heard(text.encode())

    async def close(self, code: int, message: bytes) -> None:
        self._end(code)
