"""What is heard of a bad line: sound that is missing after repair, and how late the rest is.

Two players in network namespaces; between them is one link that loses packets, in each direction
with luck of its own. All figures are the clients' own reports. Both play noise: what was repaired
of silence cannot be told from what is missing.
"""

import argparse
import contextlib
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from midipool.audio.health import LOSS_WINDOW_US
from tests.bench.netstage import NetStage, net_stage
from tests.e2e.sound_daw import SoundDaw
from tests.e2e.waiting import wait_until
from tests.netlab import Impairment

WINDOW_S = LOSS_WINDOW_US / 1e6
PERIOD = 128
NAMES = ("a", "b")


@dataclass(frozen=True)
class Case:
    """A profile, and what the line does."""

    name: str
    profile: str
    line: Impairment


CASES = (
    Case("jam, no loss", "jam", Impairment()),
    Case("jam, 5 % random", "jam", Impairment(loss=0.05, seed=1)),
    Case("jam, 5 % in bursts of 3", "jam", Impairment(loss=0.05, burst_loss_length=3, seed=2)),
    Case("safe, no loss", "safe", Impairment()),
    Case("safe, 10 % random", "safe", Impairment(loss=0.10, seed=3)),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="measured in each case")


def run(options: argparse.Namespace) -> dict[str, Any]:
    windows = max(round(options.seconds / WINDOW_S), 1)
    cases = {case.name: _measure(case, windows) for case in CASES}
    return {"seconds": windows * WINDOW_S, "period_frames": PERIOD, "cases": cases}


def _measure(case: Case, windows: int) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as made,
        net_stage(case.line, PERIOD) as stage,
        contextlib.ExitStack() as stack,
    ):
        folder = Path(made)
        stage.start_server()
        ends = stage.prepare("a"), stage.prepare("b", plain=True)
        for name, end in zip(NAMES, ends, strict=True):
            stage.join(name, *end, audio=("--profile", case.profile))
        wait_until(lambda: len(_hearings(stage)) == len(NAMES), 30)
        for seed, player in enumerate(stage.players):
            file = folder / f"{player.name}.npy"
            stack.enter_context(SoundDaw(player.jack.env, seed, file))
        looks = []
        # A report is of the window behind it: that of the beginning does not count.
        for _ in range(windows + 1):
            time.sleep(WINDOW_S)  # the measurement itself
            looks.append(_hearings(stage))
    heard = [hearing for look in looks[1:] for hearing in look]
    if not heard:
        raise RuntimeError(f"{case.name}: nobody heard anything")
    return {
        "line": msgspec.to_builtins(case.line),
        "reports": len(heard),
        "loss": _mean(heard, "loss"),
        "residual_loss": _mean(heard, "residual_loss"),
        "residual_loss_by_report": sorted(hearing["residual_loss"] for hearing in heard),
        "latency_ms": round(statistics.median(hearing["latency_ms"] for hearing in heard), 2),
        "jitter_ms": _mean(heard, "jitter_ms"),
        "paths": sorted({hearing["path"] for hearing in heard}),
    }


def _hearings(stage: NetStage) -> list[dict[str, Any]]:
    """How each of the two hears the other, where it does."""
    heard = stage.try_status().get("hears", {}).values()
    return [h for of in heard for h in of if h["latency_ms"] is not None]


def _mean(heard: list[dict[str, Any]], key: str) -> float:
    return round(statistics.fmean(hearing[key] for hearing in heard), 5)


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    values = {
        name: {
            "lost, %": 100 * case["loss"],
            "still missing after repair, %": 100 * case["residual_loss"],
        }
        for name, case in result["cases"].items()
    }
    plots.groups(values, "% of the sound", path)
