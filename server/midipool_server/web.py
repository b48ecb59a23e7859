"""The HTTP face: WebSocket at /ROOM, JSON at /api/rooms, pages, and what operators ask."""

import asyncio
from collections.abc import Sequence

import msgspec
from aiohttp import web

from midipool.messages import MAX_MESSAGE_BYTES
from midipool_server.connection import Connection, Limits
from midipool_server.edits_web import GRAPH, MODULES, EditPages
from midipool_server.host import RoomHost
from midipool_server.operations.exposition import Exposition
from midipool_server.operations.readiness import Readiness
from midipool_server.operations.routes import OperationsRoutes
from midipool_server.pages import Pages
from midipool_server.public_address import Network, is_in, public_address
from midipool_server.room import Room
from midipool_server.statistics_web import StatisticsRoutes

HEARTBEAT_S = 5.0
HOST: web.AppKey[RoomHost] = web.AppKey("host", RoomHost)
PAGES: web.AppKey[Pages] = web.AppKey("pages", Pages)
PROXIES: web.AppKey[Sequence[Network]] = web.AppKey("proxies")
LIMITS: web.AppKey[Limits] = web.AppKey("limits", Limits)
NOT_LISTED = "this server does not say which rooms it has (midipool-server --list-rooms)"


def make_app(
    host: RoomHost,
    list_rooms: bool = False,
    proxies: Sequence[Network] = (),
    limits: Limits = Limits(),  # noqa: B008 (immutable)
    operations: Sequence[web.RouteDef] | None = None,
) -> web.Application:
    """The server's web application; without `operations` with what operators usually ask.

    `proxies`: whose words about who asks are believed.
    """
    if operations is None:
        operations = OperationsRoutes(host, Readiness(), Exposition(host)).routes()
    app = web.Application()
    app[HOST] = host
    app[PAGES] = Pages(host, list_rooms)
    app[PROXIES] = tuple(proxies)
    app[LIMITS] = limits
    app.add_routes(
        [
            *operations,
            web.get("/api/rooms", _rooms),
            web.get("/api/rooms/{room}", _room),
            *StatisticsRoutes(host, shown_to).routes(),
            *EditPages(host, GRAPH).routes(),
            *EditPages(host, MODULES).routes(),
            *app[PAGES].routes(),
            web.get("/{room}", _join),
        ]
    )
    app.on_shutdown.append(_say_goodbye)
    return app


async def _join(request: web.Request) -> web.StreamResponse:
    # Compressing costs some 300 KB of memory a member, and messages are short.
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_S, max_msg_size=MAX_MESSAGE_BYTES, compress=False
    )
    if not socket.can_prepare(request):
        return _no_socket(request)
    await request.app[HOST].turns.take()
    try:
        await socket.prepare(request)
    except ConnectionError:
        return web.Response(status=400)  # It went before it was here, and hears nothing of this.
    host = request.app[HOST]
    app = request.app
    connection = Connection(host.next_id(), socket, request, app[PROXIES], app[LIMITS])
    await host.serve(connection, request.match_info["room"])
    return socket


def _no_socket(request: web.Request) -> web.Response:
    """A browser that was given a room's address shows its page."""
    if "text/html" in request.headers.get("Accept", ""):
        page = request.app.router["room_page"].url_for(room=request.match_info["room"])
        return web.Response(status=303, headers={"Location": str(page)})
    return _json({"error": "a room is joined by WebSocket: midipool-client join URL"}, 426)


async def _rooms(request: web.Request) -> web.Response:
    host = request.app[HOST]
    if not request.app[PAGES].list_rooms:
        return _json({"error": NOT_LISTED}, 403)
    now_us = host.now_us()
    rooms = host.lobby.rooms.values()
    return _json({"rooms": [shown_to(request, room, now_us) for room in rooms]})


async def _room(request: web.Request) -> web.Response:
    host = request.app[HOST]
    room = host.lobby.rooms.get(request.match_info["room"])
    if room is None:
        return _json({"error": "there is no such room: a room exists while somebody is in it"}, 404)
    described = shown_to(request, room, host.now_us())
    if "private" in described:
        return _json(described)
    if host.media is not None:
        described["relay"] = host.media.describe(room)
    trusted = is_in(request.remote or "", request.app[PROXIES])
    address = public_address(request.headers, request.secure, trusted)
    described["join"] = None if address is None else address.join(room.name)
    return _json(described)


def shown_to(request: web.Request, room: Room, now_us: int) -> dict[str, object]:
    """A room as it shows itself to who asks: one that is not for all, to its members alone."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    knows = kind == "Bearer" and room.places.member_with(token.strip()) is not None
    return room.describe(now_us) if knows else room.describe_to_strangers(now_us)


async def _say_goodbye(app: web.Application) -> None:
    connections = app[HOST].close_all("the server shuts down")
    if connections:
        # Their own tasks send the reason and close.
        await asyncio.wait([asyncio.create_task(c.ended.wait()) for c in connections], timeout=3)


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )
