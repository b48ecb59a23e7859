"""midipool-server: host rooms."""

import argparse
import asyncio
import logging
import signal
import sys

from midipool.errors import MidiPoolError, Unavailable


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
    parser.add_argument("--max-rooms", type=int, default=1000, help="(%(default)s)")
    parser.add_argument("--max-members", type=int, default=64, help="in a room (%(default)s)")
    parser.add_argument("--verbose", action="store_true", help="log more")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is 1 to 65535")
    return port


async def _serve(options: argparse.Namespace) -> None:
    from aiohttp import web

    from midipool_native import host_clock
    from midipool_server import clock_service
    from midipool_server.host import RoomHost
    from midipool_server.lobby import Lobby
    from midipool_server.web import make_app

    host_clock.set_off_for_tests()
    id = clock_service.clock_id()
    clock_port = 0 if options.no_udp else options.port
    lobby = Lobby(id, clock_port, options.max_rooms, options.max_members)
    host = RoomHost(lobby, clock_service.now_us, host_clock.now_ns)
    responder = clock_service.open_responder(options.host, clock_port, id) if clock_port else None
    runner = web.AppRunner(make_app(host), access_log=None)
    try:
        await runner.setup()
        try:
            await web.TCPSite(runner, options.host, options.port).start()
        except OSError as error:
            text = f"port {options.port} on {options.host!r} cannot be used ({error.strerror})"
            raise Unavailable(f"{text}: choose another --port") from None
        print(f"midipool-server: ws://{options.host}:{options.port}/ROOM", flush=True)
        await _until_stopped()
    finally:
        await runner.cleanup()
        if responder is not None:
            responder.close()


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
