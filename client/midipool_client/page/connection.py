"""One page's WebSocket: snapshot, then what changes, with meters; and its requests."""

import asyncio
from collections import deque

from aiohttp import WSMsgType, web

from midipool.errors import InvalidMessage
from midipool_client.page.host import PageHost
from midipool_client.page.messages import (
    Delta,
    FromPage,
    Refused,
    Snapshot,
    ToPage,
    decode,
    encode,
)
from midipool_client.page.state import changed

MAX_ASKING = 64


class PageConnection:
    """A page that is slow gets what is newest, and nothing piles up."""

    def __init__(self, socket: web.WebSocketResponse, host: PageHost) -> None:
        self._socket = socket
        self._host = host
        self._news = asyncio.Event()
        self._answers: deque[ToPage] = deque()
        self._asking: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until the page goes."""
        self._host.open(self._news)
        telling = asyncio.create_task(self._tell())
        try:
            async for message in self._socket:
                if message.type == WSMsgType.TEXT:
                    await self._take(message.data)
                elif message.type == WSMsgType.BINARY:
                    self._answer(Refused("a page sends JSON text, no bytes"))
        finally:
            self._host.close(self._news)
            for task in (telling, *self._asking):
                task.cancel()
            await asyncio.gather(telling, *self._asking, return_exceptions=True)

    async def _take(self, text: str) -> None:
        try:
            request = decode(text)
        except InvalidMessage as error:
            self._answer(Refused(error.text, error.id, error.field))
            return
        if len(self._asking) >= MAX_ASKING:
            await asyncio.wait(self._asking, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._ask(request))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, request: FromPage) -> None:
        self._answer(await self._host.ask(request))

    def _answer(self, answer: ToPage) -> None:
        self._answers.append(answer)
        self._news.set()

    async def _tell(self) -> None:
        told, framed = self._host.state, b""
        await self._socket.send_str(encode(Snapshot(told)))
        await self._socket.send_str(encode(self._host.history.so_far()))
        while True:
            await self._news.wait()
            self._news.clear()
            state = self._host.state
            if state is not told and (parts := changed(told, state)) is not None:
                await self._socket.send_str(encode(Delta(parts)))
            told = state
            while self._answers:
                await self._socket.send_str(encode(self._answers.popleft()))
            if self._host.frame and self._host.frame is not framed:
                framed = self._host.frame
                await self._socket.send_bytes(framed)
