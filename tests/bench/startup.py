"""How long a user waits: `midipool-client --help`, and from `join` to the first tick."""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from midipool_demo.background import Background
from midipool_demo.stage import CLOCK_PORT, Stage
from midipool_demo.tick_meter import TickMeter

# A late joiner enters on a bar line: here that is 33 ms away at most.
TEMPO, METER = "450", "1/16"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=int, default=10)


def run(options: argparse.Namespace) -> dict[str, Any]:
    helps = []
    for _ in range(options.runs):
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "midipool_client", "--help"], capture_output=True)
        helps.append(round(time.monotonic() - began, 3))
    return {"help_s": sorted(helps), "join_to_tick_s": sorted(_joins(options.runs))}


def _joins(runs: int) -> list[float]:
    found = []
    with Stage(("drums",)) as stage:
        env = stage.players[0].jack.env
        stage.conduct("tempo", TEMPO)
        stage.conduct("meter", METER)
        stage.conduct("start")
        for n in range(runs):
            device = f"late{n}"
            port = CLOCK_PORT.replace("midiPool", device)
            began = time.monotonic()
            words = ["join", stage.url, "--name", device, "--device-name", device]
            with (
                Background.python("midipool_client", *words, env=env),
                TickMeter(env, port) as meter,
            ):
                heard = meter.wait_until(lambda h: any(d == b"\xf8" for _, d in h.events[0]))
                first = next(f for f, data in heard.events[0] if data == b"\xf8")
                frame, ns = heard.cycles[-1]
                found.append(round((ns - (frame - first) / 48_000 * 1e9) / 1e9 - began, 3))
    return found


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    series = {"--help": result["help_s"], "join to tick": result["join_to_tick_s"]}
    plots.cumulative(series, "seconds", 2.0, path)
