"""The server's pages, `/` and `/rooms/NAME`, and what keeps them up to date: server-sent events."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from midipool.errors import Refused
from midipool.web import HEADERS, TYPES, files_with
from midipool_server.host import RoomHost
from midipool_server.lobby import check_room_name
from midipool_server.room import Room

STATIC = Path(__file__).resolve().parent / "static"
LEAST_S = 0.25
"""Nobody is told oftener; what came in between is told together."""
BYTES_A_SECOND = 50_000
"""Nor more than that goes to one page: a room of many players is told more seldom."""
STILL_HERE_S = 15.0
PATIENCE_S = 10.0
# What a page shows of a room, of all that the room says of itself.
SHOWN = (
    *("name", "members", "hears", "mode", "leader", "locked_by", "vote", "timelines", "changes"),
    *("song", "clock_id", "private", "needed", "players", "modules"),
)

Described = Callable[[], dict[str, Any]]


class Pages:
    """Files and events for browsers. `list_rooms`: whether strangers may know which rooms are."""

    def __init__(self, host: RoomHost, list_rooms: bool) -> None:
        self.list_rooms = list_rooms
        self._host = host
        self._files = files_with(STATIC)

    def routes(self) -> list[web.RouteDef]:
        """Where they are."""
        return [
            web.get("/", self._page),
            web.get("/rooms/{room}", self._page, name="room_page"),
            web.get("/static/{file:.+}", self._file),
            web.get("/api/events", self._lobby_events),
            web.get("/api/rooms/{room}/events", self._room_events),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        room = request.match_info.get("room")
        if room is not None:
            try:
                check_room_name(room)
            except Refused as error:
                return web.Response(text=f"{error}\n", status=404, headers=HEADERS)
        return self._sent("index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._sent(request.match_info["file"])

    def _sent(self, name: str) -> web.Response:
        """One of our files, of which the list is fixed: no path is made of a name."""
        path = self._files.get(name)
        if path is None:
            return web.Response(text="there is no such file\n", status=404, headers=HEADERS)
        kind = TYPES[path.suffix]
        return web.Response(
            body=path.read_bytes(), content_type=kind, charset="utf-8", headers=HEADERS
        )

    async def _lobby_events(self, request: web.Request) -> web.StreamResponse:
        return await self._events(request, None, self._lobby)

    async def _room_events(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["room"]
        return await self._events(request, name, lambda: self._room(name))

    def _lobby(self) -> dict[str, Any]:
        rooms = self._host.lobby.rooms.values() if self.list_rooms else ()
        now_us = self._host.now_us()
        shown = [_in_list(room, now_us) for room in rooms]
        return {"listed": self.list_rooms, "rooms": sorted(shown, key=lambda r: str(r["name"]))}

    def _room(self, name: str) -> dict[str, Any]:
        room = self._host.lobby.rooms.get(name)
        if room is None:
            return {"room": None}
        described = room.describe_to_strangers(self._host.now_us())
        return {"room": {key: value for key, value in described.items() if key in SHOWN}}

    async def _events(
        self, request: web.Request, room: str | None, described: Described
    ) -> web.StreamResponse:
        """Tell what is, and each time that it is another, until the page goes."""
        viewers = self._host.viewers
        try:
            with viewers.watch(room) as changed:
                answer = web.StreamResponse(headers={**HEADERS, "X-Accel-Buffering": "no"})
                answer.content_type = "text/event-stream"
                await answer.prepare(request)
                # A page that is gone, or reads no more, asks again when it is back.
                with contextlib.suppress(ConnectionError, TimeoutError):
                    await self._tell(answer, changed, described)
                return answer
        except Refused as error:
            return web.Response(text=f"{error}\n", status=503, headers=HEADERS)

    async def _tell(
        self, answer: web.StreamResponse, changed: asyncio.Event, described: Described
    ) -> None:
        told = b""
        while not self._host.viewers.closing:
            changed.clear()
            now = msgspec.json.encode(described())
            if now != told:
                told = now
                at = b'{"room_time_us":%d,"now":%s}' % (self._host.now_us(), now)
                await _write(answer, b"data: " + at + b"\n\n")
            await asyncio.sleep(max(LEAST_S, len(told) / BYTES_A_SECOND))
            try:
                async with asyncio.timeout(STILL_HERE_S):
                    await changed.wait()
            except TimeoutError:
                await _write(answer, b":\n\n")


async def _write(answer: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await answer.write(data)


def _in_list(room: Room, now_us: int) -> dict[str, Any]:
    timeline = room.chain.at(now_us)
    return {
        "name": room.name,
        "players": len(room.places.connected()),
        "playing": timeline.playing,
        "bpm": timeline.mbpm / 1000,
        "meter": str(timeline.meter),
    }
