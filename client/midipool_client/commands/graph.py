"""`midipool-client room URL graph`, `link`, `unlink`, `hears`, `group`: who hears whom."""

import argparse
import asyncio
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midipool.graph.graph import Graph
    from midipool.messages import GraphEdit, LinkNodes
    from midipool_client.remote import Remote
    from midipool_client.room_url import RoomUrl

ACTIONS = ("graph", "link", "unlink", "hears", "group")
WHO = "a member, a group such as @rhythm, `all`, or `recorder`"
SOURCE = "a member, `click`, a group such as @rhythm, or `all`"


def add_options(actions: Any, acting: argparse.ArgumentParser) -> None:
    """Describe the actions."""
    shown = actions.add_parser("graph", help="who hears whom: show it, or set it back")
    shown.add_argument("what", nargs="?", choices=["reset"], help="everybody hears everybody again")
    shown.add_argument("--json", action="store_true", help="as JSON, with all links")
    shown.add_argument("--as", dest="acting_as", metavar="NAME", help="act for this member")
    link = actions.add_parser("link", help="let one hear another, or change how", parents=[acting])
    unlink = actions.add_parser("unlink", help="let one not hear another", parents=[acting])
    for one in (link, unlink):
        one.add_argument("source", metavar="SOURCE", help=f"who is heard: {SOURCE}")
        one.add_argument("target", metavar="TARGET", help=f"who hears: {WHO}")
        _add_media(one)
    link.add_argument("--gain", type=float, metavar="DB", help="of audio, -90 to 18")
    link.add_argument("--channels", metavar="LIST", help="of audio: 1 or 1,2 or all")
    for name, less in (("high", "lower"), ("low", "higher")):
        link.add_argument(
            f"--{name}-pass",
            metavar="HZ",
            help=f"of audio: cut what is {less}, 20 to 20000, or off",
        )
    link.add_argument("--midi-channels", metavar="LIST", help="such as 10 or 1-4, or all")
    link.add_argument(
        "--midi-kinds", metavar="KINDS", help="notes, controllers, ... with commas, or all"
    )
    hears = actions.add_parser("hears", help="let one hear these and nobody else", parents=[acting])
    hears.add_argument("target", metavar="TARGET", help=f"who hears: {WHO}")
    hears.add_argument("sources", metavar="SOURCE", nargs="+", help=f"{SOURCE}, or `none`")
    _add_media(hears)
    group = actions.add_parser("group", help="name some members together", parents=[acting])
    group.add_argument("name", metavar="NAME", help="such as @rhythm")
    group.add_argument("members", metavar="MEMBER", nargs="+", help="all of it, or `none`")


def _add_media(parser: argparse.ArgumentParser) -> None:
    media = parser.add_mutually_exclusive_group()
    for medium, words in (("audio", "sound"), ("midi", "MIDI")):
        media.add_argument(
            f"--{medium}",
            dest="medium",
            action="store_const",
            const=medium,
            help=f"{words} alone",
        )


def run(url: "RoomUrl", options: argparse.Namespace) -> int:
    """Do it; raises MidiPoolError."""

    asyncio.run(_run(url, options))
    return 0


async def _run(url: "RoomUrl", options: argparse.Namespace) -> None:
    from midipool import messages
    from midipool_client.remote import Remote

    async with Remote(url, options.acting_as, ("graph",)) as remote:
        graph = await _graph(remote)
        if options.action == "graph" and options.what is None:
            print(_shown(graph, options.json))
            return
        edit = _edit(graph, options)
        messages.decode_client(messages.encode(edit))  # what the server would refuse
        await remote.ask(edit)


async def _graph(remote: "Remote") -> "Graph":
    """The room's, which comes behind the welcome; raises Unavailable."""
    from midipool.graph.news import graph_of
    from midipool.messages import RoomGraph

    return graph_of(await remote.told(RoomGraph, "graph", "the graph"))


def _shown(graph: "Graph", as_json: bool) -> str:
    from midipool.graph.words import graph_in_words, graph_shown

    return json.dumps(graph_shown(graph), indent=2) if as_json else "\n".join(graph_in_words(graph))


def _edit(graph: "Graph", options: argparse.Namespace) -> "GraphEdit":
    from midipool.messages import HearOnly, ResetGraph, SetGroup, UnlinkNodes

    match options.action:
        case "graph":
            return ResetGraph(id=1)
        case "group":
            members = () if options.members == ["none"] else tuple(options.members)
            return SetGroup(id=1, name=group_name(options.name), members=members)
    target = node_called(graph, options.target)
    match options.action:
        case "hears":
            words = [] if options.sources == ["none"] else options.sources
            sources = tuple(node_called(graph, word) for word in words)
            return HearOnly(id=1, target=target, sources=sources, medium=options.medium)
        case "unlink":
            source = node_called(graph, options.source)
            return UnlinkNodes(id=1, source=source, target=target, medium=options.medium)
        case _:
            return _link(node_called(graph, options.source), target, options)


def _link(source: str, target: str, options: argparse.Namespace) -> "LinkNodes":
    from msgspec import UNSET

    from midipool.messages import LinkNodes
    from midipool_client.sharing.options import parse_kinds

    kinds = options.midi_kinds
    return LinkNodes(
        id=1,
        source=source,
        target=target,
        medium=options.medium,
        gain_db=UNSET if options.gain is None else options.gain,
        audio_channels=_numbers(options.channels, "channels"),
        high_pass_hz=_hz(options.high_pass, "high-pass"),
        low_pass_hz=_hz(options.low_pass, "low-pass"),
        midi_channels=_numbers(options.midi_channels, "midi-channels"),
        midi_kinds=UNSET
        if kinds is None
        else ()
        if kinds == "all"
        else tuple(parse_kinds(kinds, "midi-kinds")),
    )


def _numbers(text: str | None, option: str) -> Any:
    from msgspec import UNSET

    from midipool_client.sharing.options import parse_channels

    if text is None:
        return UNSET
    return () if text == "all" else tuple(sorted(parse_channels(text, option)))


def _hz(text: str | None, option: str) -> Any:
    from msgspec import UNSET

    from midipool.errors import InvalidValue

    if text is None:
        return UNSET
    try:
        return 0.0 if text == "off" else float(text)
    except ValueError:
        raise InvalidValue(option, f"must be 20 to 20000 (Hz), or off: not {text!r}") from None


def node_called(graph: "Graph", word: str) -> str:
    """What a person means: `all`, `click`, `recorder` unless somebody is called so."""
    if word in graph.nodes or word not in ("all", "click", "recorder"):
        return word
    return f"@{word}" if word != "recorder" else _the_recorder(graph)


def _the_recorder(graph: "Graph") -> str:
    from midipool.errors import Refused

    found = list(graph.owners)
    if len(found) == 1:
        return found[0]
    text = f"several record: say {' or '.join(map(repr, found))}" if found else "nobody records"
    raise Refused("no_such_node", text)


def group_name(word: str) -> str:
    """A group's name, also when it was typed without @."""
    return word if word.startswith("@") else f"@{word}"
