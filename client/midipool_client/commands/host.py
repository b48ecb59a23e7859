"""`midipool-client host`: a server for this LAN that ends with us, and the page to play in it."""

import argparse
from typing import TYPE_CHECKING

from midipool_client.announcing import add_option as add_announce_option
from midipool_client.commands.join import add_control_option, add_page_options
from midipool_client.room_url import DEFAULT_PORT

if TYPE_CHECKING:
    from midipool_client.hosting import Hosting


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("room", nargs="?", default="jam", help="(%(default)s)")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="of the server (%(default)s)"
    )
    parser.add_argument(
        "--title", default="", help="what others see it called (this machine's name)"
    )
    add_announce_option(parser.add_argument_group("the LAN"))
    page = parser.add_argument_group("the page")
    page.add_argument("--no-browser", action="store_true", help="open no browser")
    add_page_options(page)
    add_control_option(parser.add_argument_group("controllers"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Host until interrupted; raises MidiPoolError."""
    import asyncio

    from midipool.errors import InvalidValue
    from midipool.lan.announcement import is_room
    from midipool.messages import ROOM_NAME_RULE
    from midipool_client.hosting import Hosting

    if not is_room(options.room):
        raise InvalidValue("room", f"must have {ROOM_NAME_RULE}")
    if not 1 <= options.port <= 65533:
        raise InvalidValue("port", "must be 1 to 65533: the two above it are for audio")
    hosting = Hosting(options.room, options.port, options.title, options.announce)
    asyncio.run(_run(options, hosting))
    return 0


async def _run(options: argparse.Namespace, hosting: "Hosting") -> None:
    import asyncio

    from midipool_client.commands.page import serve_page, stopped_by_signals

    stopped = stopped_by_signals()
    async with hosting:
        print("\n".join(hosting.in_words()), flush=True)
        there = [asyncio.create_task(hosting.wait()), asyncio.create_task(stopped.wait())]
        if not options.no_page:
            there.append(asyncio.create_task(serve_page(options, stopped, hosting.url)))
        try:
            done, _ = await asyncio.wait(there, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            stopped.set()
            for task in there[:2]:
                task.cancel()
            await asyncio.gather(*there, return_exceptions=True)
