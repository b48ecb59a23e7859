"""Five thousand who come to one server at once, while a room plays in it.

A share of them never says a whole request (slow-loris), and some find their room full: all others
must be in soon, and the room that plays must hear of each bar in time.
"""

import argparse
import contextlib
import itertools
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from midipool_demo.background import Background
from midipool_demo.stage import free_port
from midipool_server.operations import open_files
from tests.bench.crowd_program import CrowdProgram
from tests.bench.process_cost import ProcessCost
from tests.bench.server_looks import early, lag_ms, metrics, resident_mb, spread

CALM_S = 5.0
CHANGE_EVERY_S = 0.5
BAND = 8
SPARE_FILES = 200


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--slow", type=float, default=0.2, help="share that never says a request")
    parser.add_argument(
        "--in-room", type=int, default=10, help="who want into each room, of 8 places"
    )
    parser.add_argument("--idle-s", type=float, default=10.0, help="as the server's")


def run(options: argparse.Namespace) -> dict[str, Any]:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < options.connections + SPARE_FILES:
        raise SystemExit(f"only {hard} files can be open here: say --connections")
    open_files.allow_many()
    port, slow = free_port(), round(options.connections * options.slow)
    words = ["--port", str(port), "--no-media", "--log-level", "warning", "--drain-s", "0"]
    words += ["--idle-s", str(options.idle_s), "--max-members", str(BAND)]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Background.python("midipool_server", *words))
        server.wait_for_output("ws://")
        band = stack.enter_context(CrowdProgram("many_members", port, 0, 1, BAND, 1))
        crowd = stack.enter_context(
            CrowdProgram("many_connections", port, options.connections, slow, options.in_room)
        )
        band.ask("join", 0)
        band.ask("start")
        time.sleep(1)
        calm = _played(band, lambda: time.sleep(CALM_S))
        before_mb = resident_mb(server.process.pid)
        crowd.tell("come")
        with ProcessCost(server.process.pid) as cost:
            came: dict[str, Any] = {}
            meanwhile = _played(band, lambda: came.update(crowd.answer()))
        full_mb = resident_mb(server.process.pid)
        after = _played(band, lambda: came.update(crowd.answer()))
        said = metrics(port)
    held = len(came["in_s"]) + came["slow_left"]
    return {
        "connections": options.connections,
        "slow": slow,
        "in": len(came["in_s"]),
        "refused": len(came["refused_s"]),
        "open_after_s": came["open_s"],
        "all_in_or_refused_after_s": round(max(came["in_s"] + came["refused_s"]), 2),
        "in_s": spread(came["in_s"]),
        "refused_s": spread(came["refused_s"]),
        "slow_let_go": len(came["let_go_s"]),
        "slow_let_go_s": spread(came["let_go_s"]),
        "idle_s": options.idle_s,
        "kib_a_connection": round((full_mb - before_mb) * 1024 / held, 1),
        "resident_mb": {"before": before_mb, "all_answered": full_mb},
        "cpu_percent_until_all_are_answered": cost.cpu_percent,
        "room_that_plays": {
            "before": _ahead(calm),
            "while_they_come": _ahead(meanwhile),
            "while_the_slow_are_there": _ahead(after),
        },
        "event_loop_lag_ms": {"p50": lag_ms(said, 0.5), "p99": lag_ms(said, 0.99)},
        "_s": {"in": came["in_s"], "refused": came["refused_s"], "slow, let go": came["let_go_s"]},
    }


def _played(band: CrowdProgram, until: Callable[[], None]) -> dict[str, Any]:
    """What the room that plays heard; its tempo changes now and then."""
    band.ask("reset")
    with ThreadPoolExecutor(1) as waiting:
        ends = waiting.submit(until)
        for turn in itertools.count():
            band.ask("change", "room0", 90 + turn % 60)
            if wait([ends], CHANGE_EVERY_S).done:
                break
        ends.result()
    return band.ask("report")


def _ahead(heard: dict[str, Any]) -> dict[str, Any]:
    """How long before its instant each bar_sync came, in ms, and how many were late."""
    return {
        "bars": early(sorted(heard["bars_us"])),
        "changes": early(sorted(heard["changes_us"])),
        "lost": heard["lost"],
    }


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    series = {name: seconds for name, seconds in result.pop("_s").items() if seconds}
    plots.cumulative(series, "s after the first one came", result["idle_s"], path)
