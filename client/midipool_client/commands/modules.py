"""`midipool-client room URL modules [add|start|stop|restart|remove]`: programs of the server's."""

import argparse
import asyncio
import contextlib
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midipool.messages import ModuleCommand
    from midipool_client.room_url import RoomUrl


def add_options(actions: Any, acting: argparse.ArgumentParser) -> None:
    """Describe the action."""
    modules = actions.add_parser("modules", help="programs that the server runs in the room")
    modules.add_argument("--json", action="store_true", help="as JSON")
    modules.set_defaults(do="list", acting_as=None)
    do = modules.add_subparsers(metavar="DO", dest="do")
    do.add_parser("list", help="how each does, and which can be added (if nothing is said)")
    add = do.add_parser("add", help="have one more, and start it", parents=[acting])
    add.add_argument("program", metavar="PROGRAM", help="one that the server's operator allows")
    add.add_argument("values", metavar="OPTION=VALUE", nargs="*", help="as `modules` lists them")
    add.add_argument("--name", help="as a member (as the program is called)")
    for word, text in (
        ("start", "start one that was stopped, or failed"),
        ("stop", "end one; it stays in the list"),
        ("restart", "end one and start it again"),
        ("remove", "end one, and take it out of the list"),
    ):
        one = do.add_parser(word, help=text, parents=[acting])
        one.add_argument("name", metavar="NAME")


def run(url: "RoomUrl", options: argparse.Namespace) -> int:
    """Do it, or show the list; raises MidiPoolError."""
    from midipool_client import remote

    if options.do in (None, "list"):
        asyncio.run(_show(url, options))
        return 0
    asyncio.run(remote.send_command(url, command_of(options), options.acting_as))
    return 0


def command_of(options: argparse.Namespace) -> "ModuleCommand":
    """What the options ask for; raises InvalidValue."""
    from midipool import messages as m

    match options.do:
        case "add":
            values = _values(options.values)
            return m.AddModule(id=1, program=options.program, name=options.name, options=values)
        case "start":
            return m.StartModule(id=1, name=options.name)
        case "stop":
            return m.StopModule(id=1, name=options.name)
        case "restart":
            return m.RestartModule(id=1, name=options.name)
        case _:
            return m.RemoveModule(id=1, name=options.name)


def _values(words: list[str]) -> dict[str, float | str]:
    from midipool.errors import InvalidValue

    values: dict[str, float | str] = {}
    for text in words:
        name, is_said, value = text.partition("=")
        if not name or not is_said:
            raise InvalidValue("options", f"say OPTION=VALUE, such as beats=0.5, not {text!r}")
        if name in values:
            raise InvalidValue("options", f"say {name} once")
        values[name] = _number(value)
    return values


def _number(text: str) -> float | str:
    """A number if it is one that can be sent."""
    with contextlib.suppress(ValueError):
        if math.isfinite(number := float(text)):
            return number
    return text


async def _show(url: "RoomUrl", options: argparse.Namespace) -> None:
    import msgspec

    from midipool.messages import Modules
    from midipool_client.module_words import modules_in_words
    from midipool_client.remote import Remote, room_status

    async with Remote(url, options.acting_as, ("modules",)) as remote:
        told = await remote.told(Modules, "modules", "the list of modules")
    if options.json:
        print(json.dumps(msgspec.to_builtins(told), indent=2))
        return
    room_us = (await room_status(url))["room_time_us"]
    print("\n".join(modules_in_words(told.modules, told.programs, room_us)))
