"""`midipool-client` without a command: its page, where a room is chosen; then it joins."""

import argparse
import asyncio
import contextlib
import logging
import signal
import webbrowser
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from midipool_client.announcing import add_option as add_announce_option
from midipool_client.commands.join import add_control_option, add_page_options, page_port_of

if TYPE_CHECKING:
    from midipool_client.join_choice import JoinChoice
    from midipool_client.page.host import PageHost
    from midipool_client.page.messages import Join

log = logging.getLogger(__name__)

DEVICE = "midiPool"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument(
        "--no-browser", action="store_true", help="print the page's address, and open no browser"
    )
    add_announce_option(parser.add_argument_group("the LAN"))
    add_page_options(parser.add_argument_group("the page"))
    add_control_option(parser.add_argument_group("controllers"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve the page until interrupted; raises MidiPoolError."""
    from midipool.errors import InvalidValue
    from midipool_client.settings import Settings

    if options.no_page:
        raise InvalidValue("no-page", "leaves nothing to do: name a command, such as `join`")
    page_port_of(options.page_port)
    Settings.load()  # What is wrong with them is said here, not at the first room.

    async def run() -> None:
        await serve_page(options, stopped_by_signals())

    asyncio.run(run())
    return 0


def stopped_by_signals() -> asyncio.Event:
    """Set by Ctrl-C and SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def serve_page(options: argparse.Namespace, stopped: asyncio.Event, room: str = "") -> None:
    """The page, until `stopped`; its form has the address `room` in it. Raises MidiPoolError."""
    from msgspec.structs import replace

    from midipool_client.page.alone import page_of
    from midipool_client.page.host import PageHost

    host = PageHost(can_leave=True)
    host.choice = replace(host.choice, room=room)
    async with page_of(host, page_port_of(options.page_port), DEVICE) as address:
        if not options.no_browser:
            await asyncio.to_thread(webbrowser.open, address)
        await _until(stopped, _serve(host, options))


async def _until(stopped: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work until stopped; what it fails with is raised."""
    tasks = [asyncio.create_task(work), asyncio.create_task(stopped.wait())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(host: "PageHost", given: argparse.Namespace) -> None:
    """Go into one room after the other, as the page says."""
    from midipool.errors import MidiPoolError

    while True:
        _show_recent(host)
        join = await host.wanted.get()
        await host.devices.end_check()
        try:
            await _play(host, join, given)
            host.left()
        except (MidiPoolError, OSError) as error:
            log.warning("%s", error)
            host.left(str(error))


def _show_recent(host: "PageHost") -> None:
    from midipool.errors import MidiPoolError
    from midipool_client.page.state import Session
    from midipool_client.settings import Settings

    problem, recent = host.choice.problem, host.choice.recent
    try:
        settings = Settings.load()
        recent = settings.recent
        host.devices.choose(settings.join_choice)
    except MidiPoolError as error:
        problem = problem or str(error)
    host.choice = Session(problem=problem, recent=recent, room=host.choice.room)
    host.look()


async def _play(host: "PageHost", join: "Join", given: argparse.Namespace) -> None:
    """Be in a room until the page leaves it; raises MidiPoolError."""
    from dataclasses import replace

    from midipool.messages import check_name
    from midipool_client import tokens
    from midipool_client.commands.join import playing_of
    from midipool_client.playing import play
    from midipool_client.recent_rooms import address_of

    url, name = address_of(join.server, join.room), check_name(join.name.strip())
    url = replace(url, password=join.password or None)
    _keep_choice(join.choice)
    options = _join_options(str(url), name, join.choice)
    options.control_port, options.announce = given.control_port, given.announce
    playing = playing_of(options, url, name)
    if playing.player.audio is not None:
        playing.player.audio.engine.connect_again(host.devices.take_connections())
    left = asyncio.Event()
    host.leave = left.set
    host.enter(playing)
    try:
        await play(playing.player, left)
    finally:
        if not url.invitation:  # who comes again by one is known by the token
            with contextlib.suppress(OSError):
                tokens.forget(url, name)  # the place is given up


def _keep_choice(choice: "JoinChoice") -> None:
    from midipool_client.settings import Settings

    settings = Settings.load()
    settings.join_choice = choice
    settings.save()


def _join_options(url: str, name: str, choice: "JoinChoice") -> argparse.Namespace:
    """`midipool-client join` as a shell with these options would have it; raises InvalidValue."""
    from midipool_client.commands import join

    parser = argparse.ArgumentParser()
    join.add_options(parser)
    return parser.parse_args([url, f"--name={name}", *choice.words()])
