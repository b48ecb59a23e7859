"""`midipool-client room`: conduct a room from a shell, or look at it."""

import argparse
import asyncio
import json
import logging
from typing import TYPE_CHECKING

from midipool_client.commands import access, chat, graph, modules, snapshots, songs, stats

if TYPE_CHECKING:
    from midipool.messages import SetMode, TransportCommand
    from midipool.meter import Loop


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("url", help="ws://HOST:PORT/ROOM, or the link of an invitation")
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    acting = argparse.ArgumentParser(add_help=False)
    acting.add_argument(
        "--as",
        dest="acting_as",
        metavar="NAME",
        help="act for this member, who joined from this account (the one who joined last)",
    )
    at = argparse.ArgumentParser(add_help=False, parents=[acting])
    at.add_argument(
        "--at",
        choices=["now", "bar"],
        default="now",
        help="now: one lead time ahead; bar: on the next bar line",
    )
    counted = argparse.ArgumentParser(add_help=False)
    counted.add_argument(
        "--count-in", type=int, default=0, metavar="BARS", help="click so many bars before, 0 to 8"
    )
    actions.add_parser("start", help="play from bar 1", parents=[at, counted])
    actions.add_parser("stop", help="stop where the song is", parents=[at])
    actions.add_parser("continue", help="play on from there", parents=[at, counted])
    tempo = actions.add_parser("tempo", help="change the tempo", parents=[at])
    tempo.add_argument("bpm", type=float, help="20 to 999, with decimals")
    tempo.add_argument("--ramp-bars", type=int, default=0, help="take so many bars to get there")
    locate = actions.add_parser("locate", help="go to a bar, or to a beat of it", parents=[at])
    locate.add_argument("position", help="17 or 17.3")
    loop = actions.add_parser("loop", help="repeat bars: loop 5 9, or loop off", parents=[at])
    loop.add_argument("bars", nargs="+", metavar="START END | off")
    meter = actions.add_parser("meter", help="change the meter on a bar line", parents=[at])
    meter.add_argument("meter", help="7/8")
    mode = actions.add_parser("mode", help="say who may change the room", parents=[acting])
    mode.add_argument(
        "mode",
        choices=["open", "leader", "vote", "locked"],
        help="everybody, one member, more than half, or nobody",
    )
    mode.add_argument("leader", nargs="?", metavar="NAME", help="who leads, with `leader`")
    vote = actions.add_parser("vote", help="answer the running vote", parents=[acting])
    vote.add_argument("answer", choices=["yes", "no"])
    chat.add_options(actions, acting)
    songs.add_options(actions, acting, at)
    access.add_options(actions, acting)
    graph.add_options(actions, acting)
    modules.add_options(actions, acting)
    snapshots.add_options(actions, acting)
    status = actions.add_parser("status", help="show the room")
    status.add_argument("--json", action="store_true", help="as JSON")
    stats.add_options(actions)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Send the command and wait for its answer; raises MidiPoolError."""
    from midipool_client import remote, room_password
    from midipool_client.room_url import parse_room_url

    url = room_password.given(parse_room_url(options.url), options)
    if options.action == "status":
        room = asyncio.run(remote.room_status(url))
        print(json.dumps(room, indent=2) if options.json else remote.status_in_words(room))
        return 0
    if options.action == "stats":
        return stats.run(url, options)
    if options.action in ("say", "chat"):
        return chat.run(url, options)
    if options.action in access.ACTIONS:
        return access.run(url, options)
    if options.action == "songs":
        return songs.run(url, options)
    if options.action in graph.ACTIONS:
        return graph.run(url, options)
    if options.action == "modules":
        return modules.run(url, options)
    if options.action in ("save", "load"):
        return snapshots.run(url, options)
    if options.action == "vote":
        asyncio.run(remote.cast_ballot(url, options.answer == "yes", options.acting_as))
        return 0
    ok = asyncio.run(remote.send_command(url, _command(options), options.acting_as))
    logging.getLogger(__name__).debug("at room time %d µs", ok.target_send_timestamp)
    return 0


def _command(options: argparse.Namespace) -> "TransportCommand | SetMode":
    from midipool import messages
    from midipool.meter import parse_meter, parse_position
    from midipool.tempo import mbpm_of

    if options.action == "mode":
        return messages.SetMode(id=1, mode=options.mode, leader=options.leader)
    at = options.at
    match options.action:
        case "start":
            return messages.Start(id=1, at=at, count_in_bars=options.count_in)
        case "stop":
            return messages.Stop(id=1, at=at)
        case "continue":
            return messages.Continue(id=1, at=at, count_in_bars=options.count_in)
        case "tempo":
            mbpm_of(options.bpm)
            return messages.SetTempo(id=1, at=at, bpm=options.bpm, ramp_bars=options.ramp_bars)
        case "locate":
            return messages.Locate(id=1, at=at, position=parse_position(options.position))
        case "loop":
            return messages.SetLoop(id=1, at=at, loop=loop_of(options.bars))
        case _:
            return messages.SetMeter(id=1, at=at, meter=parse_meter(options.meter))


def loop_of(words: list[str]) -> "Loop | None":
    """Bars as a shell says them, or `off`; raises InvalidValue."""
    from midipool.errors import InvalidValue
    from midipool.meter import MAX_BAR, Loop

    if words == ["off"]:
        return None
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        raise InvalidValue("loop", "say `loop START END` in bars, or `loop off`")
    start, end = (int(word) for word in words)
    if not 1 <= start <= MAX_BAR or not 1 <= end <= MAX_BAR:
        raise InvalidValue("loop", f"bars are numbered 1 to {MAX_BAR}")
    return Loop(start, end)
