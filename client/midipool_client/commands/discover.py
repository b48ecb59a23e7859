"""`midipool-client discover`: servers and players on this LAN."""

import argparse
import asyncio
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midipool.lan.finds import Found

MOST_SECONDS = 600.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument(
        "--seconds", type=_seconds, default=2.0, help="how long to look (%(default)g)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look, and show what was found; 1 if nobody was. Raises Unavailable."""
    from midipool.errors import Unavailable

    found, problem = asyncio.run(_look(options.seconds))
    if options.json:
        print(json.dumps([in_json(one) for one in found], indent=2))
    elif problem and not found:
        raise Unavailable(problem)
    else:
        print("\n".join(in_words(found)))
    return 0 if found else 1


async def _look(seconds: float) -> "tuple[list[Found], str]":
    from midipool_client.nearby import Nearby

    nearby = Nearby(lambda: None)
    looking = asyncio.create_task(nearby.run())
    try:
        await asyncio.wait([looking], timeout=seconds)
        await nearby.check(only_new=True)
        return nearby.found, nearby.problem
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def in_json(found: "Found") -> dict[str, object]:
    """One of them, for programs."""
    from midipool.lan.formats import line_of

    said = found.said
    return {
        "kind": said.kind,
        "name": said.name,
        "url": found.server if said.kind == "server" else None,
        "addresses": found.addresses,
        "port": found.port,
        "tls": said.tls,
        "rooms": said.rooms,
        "more_rooms": said.more_rooms,
        "room": said.room,
        "version": said.version,
        "answers": found.answers,
        "problem": found.problem or None,
        "audio": None if said.audio is None else line_of(said.audio),
    }


def in_words(found: "list[Found]") -> list[str]:
    """All of them, for people: a line each."""
    if not found:
        return [
            "nobody announces a server or a player on this network. A server does so unless it "
            "listens on loopback alone, or has --no-announce; `midipool-client host` opens one. "
            "Some Wi-Fi networks keep their guests from seeing each other."
        ]
    return [_line(one) for one in found]


def _line(found: "Found") -> str:
    from midipool.lan.formats import in_words as stream_in_words

    said = found.said
    if said.kind == "player":
        sends = f": sends {stream_in_words(said.audio)}" if said.audio is not None else ""
        return f"player {said.name}{sends}"
    rooms = [said.room] if said.room is not None else []
    rooms += [room for room in said.rooms or [] if room not in rooms]
    more = f" and {said.more_rooms} more" if said.more_rooms else ""
    listed = f", rooms: {', '.join(rooms)}{more}" if rooms else ""
    problem = f" ({found.problem})" if found.problem else ""
    return f"server {said.name}: {found.server}/{rooms[0] if rooms else 'ROOM'}{listed}{problem}"


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"must be 0.1 to {MOST_SECONDS:g}")
    return seconds
