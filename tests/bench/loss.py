"""What is heard of a bad line: sound that is missing after repair, and how late the rest is.

Two players in network namespaces; between them is one link that loses packets, in each direction
with luck of its own. Known noise goes from each to the other, and what comes out at the other's
JACK port is compared with it, piece by piece: for midiPool, whose own report stands beside it, for
JackTrip and for Jamulus alike.
"""

import argparse
import contextlib
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from midipool.audio.health import LOSS_WINDOW_US
from tests.bench import audio_peers, sound_compare
from tests.bench.audio_peers import Loop, missing
from tests.bench.line_contenders import JACKTRIP, Seats, contender, hearings, take_seats
from tests.bench.netstage import net_stage
from tests.bench.sound_compare import COARSE, FINE
from tests.bench.sound_probe import RATE, Plan, Record, SoundProbe, sound
from tests.netlab import Impairment

PERIOD = 128
SETTLE_S = 10.0
SPARE_S = 1.0
NEAR_XRUN_NS = 250e6
LINES = {
    "no loss": Impairment(),
    "5 % random": Impairment(loss=0.05, seed=1),
    "5 % in bursts of 3": Impairment(loss=0.05, burst_loss_length=3, seed=2),
    "10 % random": Impairment(loss=0.10, seed=3),
    "10 % in outages up to 50 ms": Impairment(outage=0.10, outage_ms=50, seed=4),
}
PROFILES = {
    "no loss": ("lan", "jam", "safe"),
    "5 % random": ("jam",),
    "5 % in bursts of 3": ("jam",),
    "10 % random": ("jam", "safe", "bar"),
    "10 % in outages up to 50 ms": ("safe", "bar"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="measured in each case")
    parser.add_argument("--line", nargs="+", choices=LINES, default=list(LINES), help="only these")
    parser.add_argument("--only", default="", help="only contenders with this in their name")


def run(options: argparse.Namespace) -> dict[str, Any]:
    lines: dict[str, dict[str, Any]] = {}
    left_out: dict[str, str] = {}
    for line in options.line:
        contenders = [f"midiPool {name}" for name in PROFILES[line]] + [*JACKTRIP, "Jamulus"]
        for name in contenders:
            program = name.split()[0].replace("JackTrip", "jacktrip")
            if options.only not in name:
                continue
            if program != "midiPool" and missing(program):
                left_out[name] = f"{program} is not installed"
                continue
            try:
                lines.setdefault(line, {})[name] = _measure(line, name, options.seconds)
            except RuntimeError as error:
                left_out[f"{name}, {line}"] = str(error)
    described = {line: msgspec.to_builtins(LINES[line]) for line in options.line}
    return {
        "seconds": options.seconds,
        "period_frames": PERIOD,
        "lines": described,
        "left_out": left_out,
        "measured": lines,
    }


def _measure(line: str, name: str, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as made, net_stage(LINES[line], PERIOD) as stage:
        seats = take_seats(stage)
        with contender(name, seats, Path(made)) as loop:
            return _compare(name, seats, loop, Path(made), seconds)


def _compare(name: str, seats: Seats, loop: Loop, made: Path, seconds: float) -> dict[str, Any]:
    ours = name.startswith("midiPool")
    ports = ((loop.sink, loop.source), (loop.far[1], loop.far[0]))
    reports: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        probes = []
        for number, (sink, source) in enumerate(ports):
            jack = seats.machines[number].jack
            for port in (sink, source):
                audio_peers.wait_for_port(jack, port)
            file = str(made / f"{number}.record")
            plan = Plan("probe", SETTLE_S + seconds, file, ((f"noise{number}", sink),), (source,))
            probes.append(stack.enter_context(SoundProbe(jack.env, plan)))
        time.sleep(SETTLE_S)  # buffers find their length
        # Records end by themselves, while both still play.
        ends_s = time.monotonic() + seconds + SPARE_S
        while (left_s := ends_s - time.monotonic()) > 0:  # the measurement itself
            time.sleep(min(left_s, LOSS_WINDOW_US / 1e6))
            reports += hearings(seats.stage) if ours else []
        records = [probe.end() for probe in probes]
    ways = [
        _way(records[sender], records[1 - sender], f"noise{sender}", seconds) for sender in (0, 1)
    ]
    return {
        "missing": round(statistics.fmean(way["missing"] for way in ways), 5),
        "latency_ms": round(statistics.median(way["latency_ms"] for way in ways), 2),
        "each_way": ways,
        **({"reported": _reported(reports)} if ours else {}),
    }


def _way(sender: Record, listener: Record, name: str, seconds: float) -> dict[str, Any]:
    """One direction, of the last seconds."""
    played = sound(name)
    skip = max(len(listener.heard) - round(seconds * RATE), 0) // COARSE * COARSE
    heard = listener.heard[skip:, 0]
    found = sound_compare.lags(heard, played)
    bad = sound_compare.damaged(heard, played, found)
    ways_ms = sound_compare.latencies_ms(listener, played, sender, found, skip)
    known_ms = ways_ms[~np.isnan(ways_ms)]
    if not len(known_ms):
        raise RuntimeError("nothing of what was played came out")
    frames = skip + np.arange(len(bad)) * FINE
    calm = sound_compare.away_from_xruns(listener, sender, frames, NEAR_XRUN_NS)
    return {
        "missing": round(float(bad.mean()), 5),
        "missing_away_from_xruns": round(float(bad[calm].mean()), 5) if calm.any() else None,
        "seconds_away_from_xruns": round(float(calm.sum()) * FINE / RATE, 1),
        "latency_ms": round(float(np.median(known_ms)), 2),
        "latency_p5_p95_ms": np.quantile(known_ms, (0.05, 0.95)).round(2).tolist(),
        "xruns": len(sender.xruns_ns) + len(listener.xruns_ns),
    }


def _reported(heard: list[dict[str, Any]]) -> dict[str, Any]:
    """What midiPool's clients say themselves."""
    if not heard:
        return {}
    return {
        "loss": _mean(heard, "loss"),
        "residual_loss": _mean(heard, "residual_loss"),
        "latency_ms": _mean(heard, "latency_ms"),
        "buffer_ms": _mean(heard, "target_ms"),
        "jitter_ms": _mean(heard, "jitter_ms"),
        "paths": sorted({hearing["path"] for hearing in heard}),
        "words": sorted({hearing["buffer"] for hearing in heard})[-3:],
    }


def _mean(heard: list[dict[str, Any]], key: str) -> float:
    return round(statistics.fmean(hearing[key] for hearing in heard), 5)


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    values = {
        line: {
            f"{name} ({of['latency_ms']:.0f} ms)": 100 * of["missing"] for name, of in heard.items()
        }
        for line, heard in result["measured"].items()
    }
    plots.groups(values, "% of the sound that is missing (in brackets: one way)", path)
