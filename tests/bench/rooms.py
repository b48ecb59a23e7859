"""One server with very many members: how early they hear of each bar, how soon one is in, the cost.

What members say is what clients say (`many_members.py`). Everything is on one machine and one
clock, so how long before its instant a bar_sync came is known exactly.
"""

import argparse
import contextlib
import itertools
import time
from pathlib import Path
from typing import Any

from midipool_demo.background import Background
from midipool_demo.stage import free_port
from tests.bench.crowd_program import CrowdProgram
from tests.bench.process_cost import ProcessCost
from tests.bench.server_looks import early, lag_ms, metrics, resident_mb, spread


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rooms", type=int, default=200)
    parser.add_argument("--members", type=int, default=10, help="in each room")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--programs", type=int, default=2, help="that the members are in")
    parser.add_argument("--no-audio", action="store_true", help="nobody reports how others sound")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Once with members that come one after the other, once with all at once."""
    members = options.rooms * options.members
    evenly = _one(options, rate=members / 20, seconds=options.seconds)
    at_once = _one(options, rate=0.0, seconds=2.0)
    return {
        "members": members,
        "rooms": options.rooms,
        "audio_reports": not options.no_audio,
        **evenly,
        "all_at_once": {key: at_once[key] for key in ("join_s", "all_are_in_after_s", "lost")},
    }


def _one(options: argparse.Namespace, rate: float, seconds: float) -> dict[str, Any]:
    port = free_port()
    words = ("--port", str(port), "--no-media", "--log-level", "warning", "--drain-s", "0")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Background.python("midipool_server", *words))
        server.wait_for_output("ws://")
        crowds = [
            stack.enter_context(
                CrowdProgram("many_members", port, first, count, options.members, audio)
            )
            for first, count in _shares(options.rooms, options.programs)
            for audio in (int(not options.no_audio),)
        ]
        empty_mb = resident_mb(server.process.pid)
        for crowd in crowds:
            crowd.tell("join", rate / len(crowds))
        joined = [crowd.answer() for crowd in crowds]
        full_mb = resident_mb(server.process.pid)
        for crowd in crowds:
            crowd.ask("start")
        time.sleep(1)
        for crowd in crowds:
            crowd.ask("reset")
        guests: list[float] = []
        with ProcessCost(server.process.pid) as cost:
            _play(options, crowds, seconds, guests)
        said = metrics(port)
        heard = [crowd.ask("report") for crowd in crowds]
    joins = sorted(s for part in joined for s in part["joins_s"])
    bars = sorted(us for part in heard for us in part["bars_us"])
    changes = sorted(us for part in heard for us in part["changes_us"])
    members = options.rooms * options.members
    return {
        "joined": len(joins),
        "join_s": spread(joins),
        "all_are_in_after_s": round(max(part["all_s"] for part in joined), 2),
        "join_s_while_all_play": spread(sorted(guests)),
        "kib_a_member": round((full_mb - empty_mb) * 1024 / members, 1),
        "kib_a_member_at_the_end": round((cost.resident_mb - empty_mb) * 1024 / members, 1),
        "resident_mb": {"empty": empty_mb, "full": full_mb, "end": cost.resident_mb},
        "cpu_percent": cost.cpu_percent,
        "bar_sync_ahead_ms": {"bars": early(bars), "changes": early(changes)},
        "messages_a_second_to_members": round(sum(p["messages"] for p in heard) / seconds),
        "lost": sum(part["lost"] for part in heard) - len(guests),
        "event_loop_lag_ms": {"p50": lag_ms(said, 0.5), "p99": lag_ms(said, 0.99)},
        "_changes_us": changes,
        "_bars_us": bars,
    }


def _shares(rooms: int, programs: int) -> list[tuple[int, int]]:
    """(first room, how many) of each program."""
    edges = [round(n * rooms / programs) for n in range(programs + 1)]
    return [(a, b - a) for a, b in itertools.pairwise(edges)]


def _play(
    options: argparse.Namespace, crowds: list[CrowdProgram], seconds: float, guests: list[float]
) -> None:
    """Ten changes of tempo a second, here and there, and somebody who drops in."""
    begun_s, turn = time.monotonic(), 0
    shares = _shares(options.rooms, options.programs)
    while (now_s := time.monotonic() - begun_s) < seconds:
        which = turn % len(crowds)
        first, count = shares[which]
        room = f"room{first + turn * 7 % count}"
        crowds[which].ask("change", room, 90 + turn % 60)
        if turn % 10 == 5:
            guests.append(crowds[which].ask("guest", room)["join_s"])
        turn += 1
        time.sleep(max(0.1 * turn - now_s, 0))


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    series = {
        "changes": [us / 1000 for us in result.pop("_changes_us")],
        "bar lines": [us / 1000 for us in result.pop("_bars_us")],
    }
    plots.cumulative(series, "ms before its instant at which a member had a bar_sync", 150, path)
