"""Everything that a server listens on, opened and closed in order."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from functools import partial

from aiohttp import web

from midipool.errors import Unavailable
from midipool_native import host_clock
from midipool_native.clock_responder import ClockResponder
from midipool_native.relay import RelayLimits
from midipool_server import access_service, clock_service, media_service
from midipool_server.announcing import announced
from midipool_server.connection import Limits
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.media_relay import MediaRelay
from midipool_server.modules.opening import allowed_programs, open_park
from midipool_server.modules.processes import ModulePark
from midipool_server.operations import loop_lag, open_files, systemd, udp_probe
from midipool_server.operations.ending import Ending
from midipool_server.operations.exposition import Exposition
from midipool_server.operations.readiness import Probe, Readiness
from midipool_server.operations.routes import OperationsRoutes
from midipool_server.saving.keeping import kept_rooms
from midipool_server.settings import Settings, together
from midipool_server.web import make_app

BACKLOG = 4096
"""Connections that wait to be taken: behind a restart all members come at once."""
Say = Callable[[str], None]
"""Where lines for whoever started the server go."""


async def serve(settings: Settings, say: Say) -> None:
    """Host rooms until a signal comes; raises Unavailable."""
    host_clock.set_off_for_tests()
    open_files.allow_many()
    id = clock_service.clock_id()
    clock_port = together.clock_port(settings)
    lobby = Lobby(id, clock_port, settings.max_rooms, settings.max_members)
    lobby.programs = allowed_programs(settings)
    lobby.unix_us = clock_service.unix_us
    lobby.wall_clock = clock_service.wall_clock
    with contextlib.ExitStack() as services:
        responder = None
        if clock_port:
            responder = clock_service.open_responder(settings.host, clock_port, id)
            services.callback(responder.close)
        audit = access_service.open_audit(settings)
        services.callback(audit.close)
        gate = access_service.open_gate(settings)
        relay = _relay(settings, lobby)
        if relay is not None:
            services.callback(relay.close)
        host = RoomHost(lobby, clock_service.now_us, host_clock.now_ns, relay, gate, audit.write)
        park = open_park(settings, host)
        async with kept_rooms(settings.state_dir, host, say):
            await _serve_web(settings, host, responder, park, say)


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
        limits=RelayLimits(settings.max_packets, settings.max_kbits * 1000),
    )
    if relay is not None:
        lobby.new_media = media_service.room_media(port, relay.stun_port)
        lobby.stun_ports = [port for port in (port, relay.stun_port) if port]
    return relay


async def _serve_web(
    settings: Settings,
    host: RoomHost,
    responder: ClockResponder | None,
    park: ModulePark,
    say: Say,
) -> None:
    readiness = Readiness(_udp_probes(settings, host))
    exposition = Exposition(host, settings.metrics_rooms, responder) if settings.metrics else None
    routes = OperationsRoutes(host, readiness, exposition)
    operations = routes.routes(with_metrics=not settings.metrics_port)
    limits = Limits(settings.max_messages, settings.max_midi_messages)
    app = make_app(host, settings.list_rooms, access_service.proxies(settings), limits, operations)
    ending = Ending(host, readiness, settings.drain_s)
    ending.listen()
    if settings.until_input_ends:
        ending.watch_input()
    async with contextlib.AsyncExitStack() as stack:
        if settings.metrics_port:
            apart = web.Application()
            apart.add_routes(routes.routes())
            at = (settings.metrics_host, settings.metrics_port, "--metrics-port")
            await stack.enter_async_context(_listening(settings, apart, *at))
        at = (settings.host, settings.port, "--port")
        tls = access_service.tls(settings)
        await stack.enter_async_context(_listening(settings, app, *at, tls))
        for part in (loop_lag.watch(host.tally.loop_lag_s), systemd.stay_alive()):
            task = asyncio.create_task(part)
            stack.callback(task.cancel)
        host.run_modules = park.follow
        stack.push_async_callback(park.end)
        readiness.listening = True
        systemd.notify("READY=1")
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        s = "s" if tls is not None else ""
        say(f"midipool-server: ws{s}://{name}:{settings.port}/ROOM")
        say(f"page: http{s}://{name}:{settings.port}/")
        await stack.enter_async_context(announced(settings, host.lobby, readiness))
        await ending.wait()


def _udp_probes(settings: Settings, host: RoomHost) -> dict[str, Probe]:
    """How to see whether each of our UDP ports answers."""
    found: dict[str, Probe] = {}
    if (port := together.clock_port(settings)) != 0:
        answers = partial(udp_probe.clock_answers, settings.host, port)
        found[f"UDP port {port} (clock probes)"] = answers
    for port in host.lobby.stun_ports:
        answers = partial(udp_probe.stun_answers, settings.host, port)
        found[f"UDP port {port} (audio, STUN)"] = answers
    return found


@contextlib.asynccontextmanager
async def _listening(
    settings: Settings,
    app: web.Application,
    host: str,
    port: int,
    flag: str,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[None]:
    """Answer HTTP there; raises Unavailable, which names the flag to change."""
    # Nothing that we answer has a body: what is compressed stays so.
    runner = web.AppRunner(
        app, access_log=None, keepalive_timeout=settings.idle_s, auto_decompress=False
    )
    try:
        await runner.setup()
        try:
            await _site(runner, host, port, tls).start()
        except OSError as error:
            text = f"port {port} on {host!r} cannot be used ({error.strerror})"
            raise Unavailable(f"{text}: choose another {flag}") from None
        yield
    finally:
        await runner.cleanup()


def _site(
    runner: web.AppRunner, host: str, port: int, tls: ssl.SSLContext | None = None
) -> web.BaseSite:
    """Where it listens; "::" takes IPv4 too, as its UDP sockets do. Raises OSError."""
    if host != "::" or not socket.has_dualstack_ipv6():
        return web.TCPSite(runner, host, port, backlog=BACKLOG, ssl_context=tls)
    listening = socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)
    return web.SockSite(runner, listening, backlog=BACKLOG, ssl_context=tls)
