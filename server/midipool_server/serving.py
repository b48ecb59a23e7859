"""Everything that a server listens on, opened and closed in order."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable

from aiohttp import web

from midipool.errors import Unavailable
from midipool_native import host_clock
from midipool_server import clock_service, media_service
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.media_relay import MediaRelay
from midipool_server.settings import Settings, together
from midipool_server.web import make_app

Say = Callable[[str], None]
"""Where lines for whoever started the server go."""


async def serve(settings: Settings, say: Say) -> None:
    """Host rooms until a signal comes; raises Unavailable."""
    host_clock.set_off_for_tests()
    id = clock_service.clock_id()
    clock_port = together.clock_port(settings)
    lobby = Lobby(id, clock_port, settings.max_rooms, settings.max_members)
    lobby.unix_us = clock_service.unix_us
    with contextlib.ExitStack() as services:
        if clock_port:
            responder = clock_service.open_responder(settings.host, clock_port, id)
            services.callback(responder.close)
        relay = _relay(settings, lobby)
        if relay is not None:
            services.callback(relay.close)
        host = RoomHost(lobby, clock_service.now_us, host_clock.now_ns, relay)
        app = make_app(host, settings.list_rooms, settings.trust_proxy)
        await _serve_web(web.AppRunner(app, access_log=None), settings, say)


def _relay(settings: Settings, lobby: Lobby) -> MediaRelay | None:
    """The relay, and what rooms tell of it."""
    port = together.media_port(settings)
    if not port:
        return None
    relay = media_service.open_relay(
        settings.host,
        port,
        settings.max_rooms * settings.max_members,
        together.stun_port(settings),
        stun_is_wanted=settings.stun_port is not None,
    )
    if relay is not None:
        lobby.new_media = media_service.room_media(port, relay.stun_port)
        lobby.stun_ports = [port for port in (port, relay.stun_port) if port]
    return relay


async def _serve_web(runner: web.AppRunner, settings: Settings, say: Say) -> None:
    try:
        await runner.setup()
        try:
            await _site(runner, settings.host, settings.port).start()
        except OSError as error:
            text = f"port {settings.port} on {settings.host!r} cannot be used ({error.strerror})"
            raise Unavailable(f"{text}: choose another --port") from None
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        say(f"midipool-server: ws://{host}:{settings.port}/ROOM")
        say(f"page: http://{host}:{settings.port}/")
        await _until_stopped()
    finally:
        await runner.cleanup()


def _site(runner: web.AppRunner, host: str, port: int) -> web.BaseSite:
    """Where it listens; "::" takes IPv4 too, as its UDP sockets do. Raises OSError."""
    if host != "::" or not socket.has_dualstack_ipv6():
        return web.TCPSite(runner, host, port)
    listening = socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)
    return web.SockSite(runner, listening)


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
