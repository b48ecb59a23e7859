"""What becomes of a tone, and of latency, when two players' sound cards are not equally fast.

Two players, each on a JACK server of its own, on one machine. One server's quartz is off
(quartz.c), so that the one hears what is a little too fast, and the other what is too slow. Each
plays a tone of 997 Hz to its left and noise to its right; what comes out at the other's JACK ports
is looked at second by second.
"""

import argparse
import contextlib
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from midipool_demo.frame_times import Floats
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import Stage
from tests.bench import sound_compare
from tests.bench.machine_watch import MachineWatch, Stalls
from tests.bench.sound_compare import TONE_PIECE
from tests.bench.sound_probe import RATE, Plan, Record, SoundProbe, sound
from tests.e2e.waiting import wait_until

PERIOD = 128
EVERY = RATE // 4
SETTLE_S = 30.0
SPARE_S = 1.0
NEAR_XRUN_NS = 2e9
PURE_DB = 80.0
QUARTZ = Path(__file__).with_name("quartz.c")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="that are looked at")
    parser.add_argument("--ppm", type=float, default=200.0, help="of the one sound card")
    parser.add_argument("--profile", default="jam", choices=("lan", "jam", "safe"))


def run(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as made, MachineWatch() as watch:
        records, reported = _play(options, Path(made), _quartz(Path(made)))
        stalls = watch.end()
    fast, other = records
    ways = {
        "from the fast card": _way(fast, other, "noise0", options.seconds, stalls),
        "from the other": _way(other, fast, "noise1", options.seconds, stalls),
    }
    return {
        "seconds": options.seconds,
        "ppm": options.ppm,
        "profile": options.profile,
        "period_frames": PERIOD,
        "measured_ppm": round(_ppm(records), 2),
        "machine_stood_still": stalls.count,
        "ways": ways,
        "reported": reported,
    }


def _quartz(made: Path) -> Path:
    library = made / "quartz.so"
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", str(QUARTZ)]
    subprocess.run([*command, "-o", str(library), "-ldl"], check=True)
    return library


def _play(
    options: argparse.Namespace, made: Path, quartz: Path
) -> tuple[list[Record], list[dict[str, Any]]]:
    off = {"LD_PRELOAD": str(quartz), "MIDIPOOL_QUARTZ_PPM": str(options.ppm)}

    def card(name: str) -> JackServer:
        return JackServer(period=PERIOD, own_env=off if name == "fast" else None)

    audio = ("--profile", options.profile)
    with Stage(("fast", "other"), home=made, period=PERIOD, audio=audio, card=card) as stage:

        def hearings() -> list[dict[str, Any]]:
            heard = stage.status()["hears"].values()
            return [h for of in heard for h in of if h["latency_ms"] is not None]

        wait_until(lambda: len(hearings()) == 2, 30)
        with contextlib.ExitStack() as stack:
            probes = [
                stack.enter_context(SoundProbe(player.jack.env, _plan(made, number, options)))
                for number, player in enumerate(stage.players)
            ]
            time.sleep(SETTLE_S + options.seconds + SPARE_S)  # records end while both play
            return [probe.end() for probe in probes], hearings()


def _plan(made: Path, number: int, options: argparse.Namespace) -> Plan:
    port = "midiPool-audio:audio_{}_{}".format
    plays = (("tone", port("send", 1)), (f"noise{number}", port("send", 2)))
    hears = (port("receive", 1), port("receive", 2))
    file = str(made / f"{number}.record")
    return Plan("probe", SETTLE_S + options.seconds, file, plays, hears)


def _ppm(records: list[Record]) -> float:
    """How much faster the first one's JACK is, by CLOCK_MONOTONIC."""
    slopes = [record.times.slope for record in records]
    return (slopes[1] / slopes[0] - 1) * 1e6


def _way(
    sender: Record, listener: Record, name: str, seconds: float, stalls: Stalls
) -> dict[str, Any]:
    skip = max(len(listener.heard) - round(seconds * RATE), 0)
    tone, noise = listener.heard[skip:, 0], listener.heard[skip:, 1]
    sinad, dropped = sound_compare.tone_pieces(tone)
    middle = skip + np.arange(len(sinad)) * TONE_PIECE + TONE_PIECE // 2
    calm = sound_compare.away_from_xruns(listener, sender, middle, NEAR_XRUN_NS)
    still = calm & sound_compare.away_from(listener, middle, stalls.rows[:, 0], NEAR_XRUN_NS)
    found = sound_compare.lags(noise, sound(name), EVERY)
    ways_ms = sound_compare.latencies_ms(listener, sound(name), sender, found, skip, EVERY)
    known = ~np.isnan(ways_ms)
    if not known.any():
        raise RuntimeError("nothing of what was played came out")
    middle_ms = float(np.median(ways_ms[known]))
    return {
        "xruns": len(sender.xruns_ns) + len(listener.xruns_ns),
        "seconds_away_from_xruns": int(calm.sum()),
        "dropped_out_seconds": int((dropped > 0).sum()),
        "dropped_out_seconds_away_from_xruns": int((dropped[calm] > 0).sum()),
        "seconds_while_the_machine_went_on": int(still.sum()),
        "dropped_out_seconds_while_the_machine_went_on": int((dropped[still] > 0).sum()),
        "dropped_out_frames": int(dropped.sum()),
        "bent_seconds_away_from_xruns": int((calm & (dropped == 0) & (sinad < PURE_DB)).sum()),
        "sinad_db": _spread(sinad),
        "sinad_away_from_xruns_db": _spread(sinad[calm]),
        "latency_ms": _spread(ways_ms[known]),
        "latency_within_1_ms_of_its_median": round(
            float((np.abs(ways_ms[known] - middle_ms) <= 1).mean()), 4
        ),
        "not_recognized": int((~known).sum()),
        "over_time": (
            (np.flatnonzero(known) * EVERY / RATE).round(2).tolist(),
            ways_ms[known].round(3).tolist(),
        ),
    }


def _spread(values: Floats) -> dict[str, float] | None:
    if not len(values):
        return None
    names = {"least": 0.0, "p1": 0.01, "median": 0.5, "p99": 0.99, "most": 1.0}
    return {name: round(float(np.quantile(values, at)), 2) for name, at in names.items()}


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    series = {name: way.pop("over_time") for name, way in result["ways"].items()}
    plots.over_time(series, "one way, ms", path)
