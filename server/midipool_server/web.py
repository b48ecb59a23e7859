"""The HTTP face: WebSocket at /ROOM, JSON at /healthz and /api/rooms, and pages."""

import asyncio

import msgspec
from aiohttp import web

from midipool.messages import MAX_MESSAGE_BYTES
from midipool_server.connection import Connection
from midipool_server.host import RoomHost
from midipool_server.pages import Pages
from midipool_server.public_address import public_address

HEARTBEAT_S = 5.0
HOST: web.AppKey[RoomHost] = web.AppKey("host", RoomHost)
PAGES: web.AppKey[Pages] = web.AppKey("pages", Pages)
TRUST_PROXY: web.AppKey[bool] = web.AppKey("trust_proxy", bool)
NOT_LISTED = "this server does not say which rooms it has (midipool-server --list-rooms)"


def make_app(
    host: RoomHost, list_rooms: bool = False, trust_proxy: bool = False
) -> web.Application:
    """The server's web application."""
    app = web.Application()
    app[HOST] = host
    app[PAGES] = Pages(host, list_rooms)
    app[TRUST_PROXY] = trust_proxy
    app.add_routes(
        [
            web.get("/healthz", _healthz),
            web.get("/api/rooms", _rooms),
            web.get("/api/rooms/{room}", _room),
            *app[PAGES].routes(),
            web.get("/{room}", _join),
        ]
    )
    app.on_shutdown.append(_say_goodbye)
    return app


async def _join(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_MESSAGE_BYTES)
    if not socket.can_prepare(request):
        return _no_socket(request)
    await socket.prepare(request)
    host = request.app[HOST]
    connection = Connection(host.next_id(), socket, request, request.app[TRUST_PROXY])
    await host.serve(connection, request.match_info["room"])
    return socket


def _no_socket(request: web.Request) -> web.Response:
    """A browser that was given a room's address shows its page."""
    if "text/html" in request.headers.get("Accept", ""):
        page = request.app.router["room_page"].url_for(room=request.match_info["room"])
        return web.Response(status=303, headers={"Location": str(page)})
    return _json({"error": "a room is joined by WebSocket: midipool-client join URL"}, 426)


async def _healthz(request: web.Request) -> web.Response:
    host = request.app[HOST]
    rooms = host.lobby.rooms.values()
    members = sum(m.connected and not m.remote for room in rooms for m in room.members.values())
    lobby = host.lobby
    clock = {"clock_port": lobby.clock_port, "clock_id": lobby.clock_id}
    counts = {"rooms": len(lobby.rooms), "members": members}
    return _json({"status": "ok", **counts, **clock, "stun_ports": lobby.stun_ports})


async def _rooms(request: web.Request) -> web.Response:
    host = request.app[HOST]
    if not request.app[PAGES].list_rooms:
        return _json({"error": NOT_LISTED}, 403)
    now_us = host.now_us()
    return _json({"rooms": [room.describe(now_us) for room in host.lobby.rooms.values()]})


async def _room(request: web.Request) -> web.Response:
    host = request.app[HOST]
    room = host.lobby.rooms.get(request.match_info["room"])
    if room is None:
        return _json({"error": "there is no such room: a room exists while somebody is in it"}, 404)
    described = room.describe(host.now_us())
    if host.media is not None:
        described["relay"] = host.media.describe(room)
    address = public_address(request.headers, request.secure, request.app[TRUST_PROXY])
    described["join"] = None if address is None else address.join(room.name)
    return _json(described)


async def _say_goodbye(app: web.Application) -> None:
    connections = app[HOST].close_all("the server shuts down")
    if connections:
        # Their own tasks send the reason and close.
        await asyncio.wait([asyncio.create_task(c.ended.wait()) for c in connections], timeout=3)


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )
