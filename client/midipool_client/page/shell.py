"""What a shell of the same user sees and does (control.py): the same as a page."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec

from midipool.errors import InvalidMessage, InvalidValue, Refused, Unavailable
from midipool_client.page import meters
from midipool_client.page.host import PageHost
from midipool_client.page.messages import Delta, Snapshot, decode, encode
from midipool_client.page.messages import Refused as NotDone
from midipool_client.page.state import changed

# How often a shell that hears nothing is looked for.
LOOK_S = 1.0


class Shell:
    """Obeys what comes in at the control socket."""

    def __init__(self, host: PageHost) -> None:
        self._host = host
        self.api: dict[str, str] | None = None
        """Where programs find the page, if there is one."""

    async def obey(self, words: dict[str, Any]) -> AsyncGenerator[str, None]:
        """Do it, and tell; raises MidiPoolError."""
        match words:
            case {"do": "request", "request": request}:
                yield await self._request(msgspec.json.encode(request).decode())
            case {"do": "state"}:
                known = {"state": await self._host.fresh(), "room_us": self._host.room_us()}
                yield msgspec.json.encode(known).decode()
            case {"do": "watch"}:
                async with aclosing(self._watch(bool(words.get("meters")))) as lines:
                    async for line in lines:
                        yield line
            case {"do": "api"}:
                if self.api is None:
                    raise Unavailable(
                        "this client serves no page to programs: it runs with --no-page"
                    )
                yield msgspec.json.encode(self.api).decode()
            case {"do": str()}:
                yield await self._host.player.asked(words)
            case _:
                raise InvalidValue("do", "says what is wanted, and is missing")

    async def _request(self, text: str) -> str:
        try:
            answer = await self._host.ask(decode(text))
        except InvalidMessage as error:
            raise InvalidValue(error.field or "request", error.text) from None
        if isinstance(answer, NotDone):
            raise Refused("refused", answer.text, answer.field)
        return "done"

    async def _watch(self, with_meters: bool) -> AsyncGenerator[str, None]:
        """The state, then what is other, and each frame of meters, as JSON."""
        host, news = self._host, asyncio.Event()
        host.open(news)
        try:
            told, framed = host.state, host.frame
            yield encode(Snapshot(told))
            while True:
                try:
                    async with asyncio.timeout(LOOK_S):
                        await news.wait()
                except TimeoutError:
                    yield ""
                    continue
                news.clear()
                if (parts := changed(told, host.state)) is not None:
                    told = host.state
                    yield encode(Delta(parts))
                if with_meters and host.frame and host.frame is not framed:
                    framed = host.frame
                    yield frame_as_json(framed, host.state.mixer.meters)
                else:
                    yield ""
        finally:
            host.close(news)


def frame_as_json(frame: bytes, order: list[str]) -> str:
    """A frame of meters, with its names."""
    count, room_us, levels = meters.read(frame)
    named = {name: level for name, level in zip(order[:count], levels, strict=False)}
    return msgspec.json.encode({"type": "meters", "room_us": room_us, "levels": named}).decode()
