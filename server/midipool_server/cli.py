"""midipool-server: host rooms."""

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
import sys
from typing import TYPE_CHECKING

from midipool.errors import MidiPoolError, Unavailable

if TYPE_CHECKING:
    from aiohttp import web


def main(argv: list[str] | None = None) -> int:
    """Run the server; returns the exit code."""
    options = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    try:
        asyncio.run(_serve(options))
    except MidiPoolError as error:
        print(f"midipool-server: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="midipool-server", description="Host midiPool rooms: one shared timeline for each."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=_port, default=8765, help="TCP, and UDP for clock probes (%(default)s)"
    )
    parser.add_argument(
        "--no-udp", action="store_true", help="answer clock probes over the WebSocket only"
    )
    parser.add_argument(
        "--media-port",
        type=_port_or_none,
        help="UDP for the relay of audio and for STUN (one above --port); 0: none",
    )
    parser.add_argument(
        "--stun-port",
        type=_port_or_none,
        help="UDP for STUN alone: a second port shows what a NAT does (one above that); 0: none",
    )
    parser.add_argument("--no-media", action="store_true", help="relay no audio")
    parser.add_argument("--max-rooms", type=int, default=1000, help="(%(default)s)")
    parser.add_argument("--max-members", type=int, default=64, help="in a room (%(default)s)")
    parser.add_argument(
        "--list-rooms",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="tell everybody which rooms there are, at / and /api/rooms (no: whoever knows a "
        "room's name can come in)",
    )
    parser.add_argument(
        "--trust-proxy",
        action="store_true",
        help="believe Forwarded and X-Forwarded-Proto and -Host; only behind a proxy",
    )
    parser.add_argument("--verbose", action="store_true", help="log more")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is 1 to 65535")
    return port


def _port_or_none(text: str) -> int:
    return 0 if text == "0" else _port(text)


def _media_port(options: argparse.Namespace) -> int:
    """The port of the relay, 0 for none; raises Unavailable."""
    if options.no_media:
        return 0
    port: int = options.port + 1 if options.media_port is None else options.media_port
    if port > 65535:
        raise Unavailable("there is no port above 65535: choose a --media-port, or --no-media")
    if port == options.port and not options.no_udp:
        raise Unavailable(f"UDP port {port} is for clock probes: choose another --media-port")
    return port


def _stun_port(options: argparse.Namespace, media_port: int) -> int:
    """The second port of STUN, 0 for none; raises Unavailable."""
    if not media_port:
        return 0
    port: int = media_port + 1 if options.stun_port is None else options.stun_port
    if port > 65535:
        raise Unavailable("there is no port above 65535: choose a --stun-port, or 0 for none")
    taken = {media_port: "for audio"} | ({} if options.no_udp else {options.port: "for the clock"})
    if port in taken:
        raise Unavailable(f"UDP port {port} is {taken[port]}: choose another --stun-port")
    return port


async def _serve(options: argparse.Namespace) -> None:
    from aiohttp import web

    from midipool_native import host_clock
    from midipool_server import clock_service, media_service
    from midipool_server.host import RoomHost
    from midipool_server.lobby import Lobby
    from midipool_server.web import make_app

    host_clock.set_off_for_tests()
    id = clock_service.clock_id()
    clock_port = 0 if options.no_udp else options.port
    media_port = _media_port(options)
    stun_port = _stun_port(options, media_port)
    lobby = Lobby(id, clock_port, options.max_rooms, options.max_members)
    lobby.unix_us = clock_service.unix_us
    with contextlib.ExitStack() as services:
        if clock_port:
            responder = clock_service.open_responder(options.host, clock_port, id)
            services.callback(responder.close)
        relay = None
        if media_port:
            capacity = options.max_rooms * options.max_members
            chosen = options.stun_port is not None
            relay = media_service.open_relay(
                options.host, media_port, capacity, stun_port, stun_is_wanted=chosen
            )
        if relay is not None:
            services.callback(relay.close)
            lobby.new_media = media_service.room_media(media_port, relay.stun_port)
            lobby.stun_ports = [port for port in (media_port, relay.stun_port) if port]
        host = RoomHost(lobby, clock_service.now_us, host_clock.now_ns, relay)
        app = make_app(host, options.list_rooms, options.trust_proxy)
        await _serve_web(web.AppRunner(app, access_log=None), options)


async def _serve_web(runner: "web.AppRunner", options: argparse.Namespace) -> None:

    try:
        await runner.setup()
        try:
            await _site(runner, options).start()
        except OSError as error:
            text = f"port {options.port} on {options.host!r} cannot be used ({error.strerror})"
            raise Unavailable(f"{text}: choose another --port") from None
        host = f"[{options.host}]" if ":" in options.host else options.host
        print(f"midipool-server: ws://{host}:{options.port}/ROOM", flush=True)
        print(f"page: http://{host}:{options.port}/", flush=True)
        await _until_stopped()
    finally:
        await runner.cleanup()


def _site(runner: "web.AppRunner", options: argparse.Namespace) -> "web.BaseSite":
    """Where it listens; "::" takes IPv4 too, as its UDP sockets do. Raises OSError."""
    from aiohttp import web

    if options.host != "::" or not socket.has_dualstack_ipv6():
        return web.TCPSite(runner, options.host, options.port)
    address = (options.host, options.port)
    listening = socket.create_server(address, family=socket.AF_INET6, dualstack_ipv6=True)
    return web.SockSite(runner, listening)


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
