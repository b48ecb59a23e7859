"""`/api/rooms/NAME/stats`: how a room's members heard one another over time, as JSON or CSV."""

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web

from midipool.audio.statistics_text import TYPES, asked, pieces
from midipool.errors import InvalidValue
from midipool_server.host import RoomHost
from midipool_server.room import Room

MOST_AT_ONCE = 4
PATIENCE_S = 10.0
NO_ROOM = "there is no such room: a room exists while somebody is in it"
PRIVATE = "this room shows itself to its members alone"
BUSY = "too many ask for statistics now: try again"

Shown = Callable[[web.Request, Room, int], Mapping[str, object]]


class StatisticsRoutes:
    """A pair at a time, so that rooms keep ticking meanwhile, and few answers at once."""

    def __init__(self, host: RoomHost, shown_to: Shown) -> None:
        """`shown_to`: a room as it shows itself to who asks."""
        self._host = host
        self._shown_to = shown_to
        self._answering = 0

    def routes(self) -> list[web.RouteDef]:
        """Where they are."""
        return [web.get("/api/rooms/{room}/stats", self._stats)]

    async def _stats(self, request: web.Request) -> web.StreamResponse:
        room = self._host.lobby.rooms.get(request.match_info["room"])
        if room is None:
            return web.json_response({"error": NO_ROOM}, status=404)
        if "private" in self._shown_to(request, room, self._host.now_us()):
            return web.json_response({"error": PRIVATE}, status=403)
        try:
            wanted = asked(request.query, room.statistics)
        except InvalidValue as error:
            return web.json_response({"error": str(error)}, status=400)
        if self._answering >= MOST_AT_ONCE:
            return web.json_response({"error": BUSY}, status=503)
        now_us = self._host.now_us()
        unix_us = self._host.lobby.unix_us(now_us) - now_us
        answer = web.StreamResponse(headers={"Cache-Control": "no-store"})
        answer.content_type, answer.charset = TYPES[wanted.kind], "utf-8"
        self._answering += 1
        try:
            await answer.prepare(request)
            for piece in pieces(room.statistics, wanted, now_us, unix_us):
                async with asyncio.timeout(PATIENCE_S):
                    await answer.write(piece)
                await asyncio.sleep(0)
        finally:
            self._answering -= 1
        return answer
