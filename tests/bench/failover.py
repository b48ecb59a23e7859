"""The server killed and started again, over and over, while two players play."""

import argparse
import signal
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from midipool.timeline import Timeline
from midipool_demo.report import SETTLED_S, distance, listen, spread
from midipool_demo.stage import Stage


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--away-s", type=float, default=1.0, help="until it is started again")
    parser.add_argument("--back-s", type=float, default=4.0, help="until it is killed again")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with Stage(("drums", "bass")) as stage:
        stage.conduct("start")
        before = msgspec.convert(stage.status()["timelines"][-1], Timeline)
        time.sleep(options.back_s)
        for _ in range(options.kills):
            assert stage.server is not None
            stage.server.stop(signal.SIGKILL)
            time.sleep(options.away_s)
            stage.start_server()
            time.sleep(options.back_s)
        room = stage.status()
        after = msgspec.convert(room["timelines"][0], Timeline)
        heard = [listen(player, before) for player in stage.players]
        xruns = [player.meter.heard.xruns for player in stage.players]
    players = {}
    for player, ticks, count in zip(stage.players, heard, xruns, strict=True):
        steady = ticks.since_xrun_s > SETTLED_S
        players[player.name] = {
            "ticks": len(ticks.numbers),
            "missing": ticks.missing,
            "extra": ticks.extra,
            "out_of_order": ticks.out_of_order,
            "xruns": count,
            "phase_error_us": spread(ticks.late_us[steady]),
            "over_time": [
                [round(float(n) / 48, 2) for n in ticks.numbers],
                [round(float(us), 1) for us in np.where(steady, ticks.late_us, np.nan)],
            ],
        }
    return {
        "kills": options.kills,
        "players": players,
        "distance_us": distance(heard[0], heard[1]),
        "timeline_unchanged": before == after,
        "members_after": len(room["members"]),
        "revision_after": room["revision"],
    }


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    series = {name: tuple(p.pop("over_time")) for name, p in result["players"].items()}
    plots.over_time(series, "tick late, µs (away from xruns)", path)
