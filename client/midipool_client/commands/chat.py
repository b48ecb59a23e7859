"""`midipool-client room URL say` and `chat`: talk with the others in a room."""

import argparse
import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midipool.messages import ChatLine
    from midipool_client.room_url import RoomUrl


def add_options(actions: Any, acting: argparse.ArgumentParser) -> None:
    """Describe the actions."""
    say = actions.add_parser("say", help="say something to everybody", parents=[acting])
    say.add_argument("text", nargs="+", help="one line; `/help` tells the commands that it can be")
    read = actions.add_parser("chat", help="what was said", parents=[acting])
    read.add_argument("--follow", action="store_true", help="and what is said, until Ctrl-C")
    read.add_argument("--json", action="store_true", help="a line of JSON for each")


def run(url: "RoomUrl", options: argparse.Namespace) -> int:
    """Say it, or show what is said; raises MidiPoolError."""
    from midipool.errors import Refused
    from midipool.messages import Say
    from midipool_client import remote
    from midipool_client.chat_words import one_line

    if options.action == "chat":
        asyncio.run(_show(url, options))
        return 0
    said = Say(id=1, text=one_line(" ".join(options.text)))
    try:
        asyncio.run(remote.send_command(url, said, options.acting_as))
    except Refused as error:
        if error.code != "help":
            raise
        print(error.text)
    return 0


async def _show(url: "RoomUrl", options: argparse.Namespace) -> None:
    from midipool.messages import Chat, ChatNews
    from midipool_client.remote import Remote

    async with Remote(url, options.acting_as, ("chat",)) as remote:
        remote.needs("chat", "the chat")
        async for message in remote.heard():
            if isinstance(message, Chat):
                for line in message.lines:
                    _print(line, options.json)
                if not options.follow:
                    return
            elif isinstance(message, ChatNews):
                _print(message.line, options.json)


def _print(line: "ChatLine", as_json: bool) -> None:
    import msgspec

    from midipool_client.chat_words import line_in_words

    if as_json:
        print(msgspec.json.encode(line).decode(), flush=True)
        return
    when = datetime.fromtimestamp(line.unix_ms / 1000)
    today = when.date() == datetime.now().date()
    print(line_in_words(line, when.strftime("%H:%M" if today else "%Y-%m-%d %H:%M")), flush=True)
