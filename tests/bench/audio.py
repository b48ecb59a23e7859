"""How late sound is at the other player, beside JackTrip and Jamulus; and what that costs.

Two JACK servers on this machine. Noise goes from the first to the second player and back; half of
the time that this takes is one way. In it are the periods that JACK takes to close the two loops,
for all contenders alike.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from midipool_demo.background import child_environment
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import Stage
from tests.bench import audio_peers
from tests.bench.audio_peers import Loop, Machine, missing
from tests.bench.process_cost import ProcessCost, child_running
from tests.e2e.waiting import wait_until

RATE, PERIOD = 48_000, 128
PROFILES = ("lan", "jam")
LEAST_PIECES = 20
# Without sound for the first moments; the buffer of `jam` finds its length meanwhile.
SETTLE_S = 10.0
# JACK refuses a client now and then on a machine that is late.
TRIES = 3
Contender = Callable[[Machine, Machine], contextlib.AbstractContextManager[Loop]]


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=10.0, help="of sound in each round")
    parser.add_argument("--rounds", type=int, default=2, help="in turns")


def run(options: argparse.Namespace) -> dict[str, Any]:
    rounds: dict[str, list[dict[str, Any]]] = {}
    left_out: dict[str, str] = {}
    for _ in range(options.rounds):
        for name in PROFILES:
            rounds.setdefault(f"midiPool {name}", []).append(_midipool(name, options.seconds))
        with tempfile.TemporaryDirectory() as home:
            peers = (
                ("JackTrip -q 2", "jacktrip", audio_peers.jacktrip),
                ("Jamulus", "Jamulus", lambda a, b: audio_peers.jamulus(a, b, Path(home))),
            )
            for name, program, contender in peers:
                if missing(program):
                    left_out[name] = f"{program} is not installed"
                    continue
                try:
                    rounds.setdefault(name, []).append(_peer(contender, options.seconds))
                except RuntimeError as error:
                    left_out[name] = f"a round: {error}"
    return {
        "seconds": options.seconds,
        "period_frames": PERIOD,
        "rate": RATE,
        "left_out": left_out,
        "contenders": {name: _together(of) for name, of in rounds.items() if of},
    }


def _midipool(profile: str, seconds: float) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as home,
        Stage(
            ("here", "there"), home=Path(home), period=PERIOD, audio=("--profile", profile)
        ) as stage,
    ):

        def hearings() -> list[dict[str, Any]]:
            heard = stage.status()["hears"].values()
            return [h for of in heard for h in of if h["latency_ms"] is not None]

        wait_until(lambda: len(hearings()) == 2, 20)
        near, there = stage.players
        name = "midiPool-audio"
        loop = Loop(
            f"{name}:audio_send_1",
            f"{name}:audio_receive_1",
            (f"{name}:audio_receive_1", f"{name}:audio_send_1"),
            child_running(near.client.process.pid, "midipool_client.audio.engine"),
        )
        measured = _measure(near.jack, there.jack, loop, seconds)
        return {**measured, "reported": hearings()}


def _peer(contender: Contender, seconds: float) -> dict[str, Any]:
    """Raises RuntimeError when it does not start in any of some tries."""
    for tries_left in reversed(range(TRIES)):
        try:
            with (
                _two_jacks() as (here, there),
                contender(Machine(here), Machine(there)) as loop,
            ):
                return _measure(here, there, loop, seconds)
        except RuntimeError:
            if not tries_left:
                raise
    raise AssertionError


@contextlib.contextmanager
def _two_jacks() -> Iterator[tuple[JackServer, JackServer]]:
    with JackServer(period=PERIOD) as here, JackServer(period=PERIOD) as there:
        here.wait_ready()
        there.wait_ready()
        yield here, there


def _measure(here: JackServer, there: JackServer, loop: Loop, seconds: float) -> dict[str, Any]:
    _connect(there, *loop.far)
    audio_peers.wait_for_port(here, loop.source)
    time.sleep(SETTLE_S)
    with ProcessCost(loop.pid) as cost:
        heard = _round_trip(here, seconds, loop.sink, loop.source)
    return {
        "lag_frames": heard["lag_frames"],
        "xruns": heard["xruns"],
        "cpu_percent": cost.cpu_percent,
        "resident_mb": cost.resident_mb,
    }


def _round_trip(jack: JackServer, seconds: float, sink: str, source: str) -> dict[str, Any]:
    program = [sys.executable, "-m", "tests.bench.sound_round_trip", str(seconds), sink, source]
    done = subprocess.run(program, env=child_environment(jack.env), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"no round trip through {sink}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _connect(jack: JackServer, source: str, sink: str) -> None:
    audio_peers.wait_for_port(jack, source)
    audio_peers.jack("jack_connect", jack, source, sink)


def _together(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures over the rounds; each piece of sound counts once."""
    ways_ms: list[float] = []
    pieces = 0
    for of in rounds:
        # What is on its way at the beginning is silence, and no loss.
        found = of["lag_frames"]
        first = next((i for i, lag in enumerate(found) if lag is not None), len(found))
        pieces += len(found) - first
        ways_ms += _ways_ms(of)
    if len(ways_ms) < LEAST_PIECES:
        return {"one_way_ms": None, "pieces": pieces, "recognized": len(ways_ms)}
    ordered = sorted(ways_ms)
    reported = [h for of in rounds for h in of.get("reported", [])]
    return {
        "one_way_ms": {
            "median": round(statistics.median(ordered), 2),
            "least": round(ordered[0], 2),
            "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 2),
            "median_of_rounds": [_median_ms(of) for of in rounds],
        },
        "pieces": pieces,
        "recognized": len(ways_ms),
        "xruns": [of["xruns"] for of in rounds],
        "cpu_percent": [of["cpu_percent"] for of in rounds],
        "resident_mb": [of["resident_mb"] for of in rounds],
        "reported_latency_ms": [h["latency_ms"] for h in reported],
        "reported_residual_loss": [h["residual_loss"] for h in reported],
        "reported_paths": sorted({h["path"] for h in reported}),
        "over_pieces_ms": [round(ms, 2) for ms in ways_ms],
    }


def _ways_ms(of: dict[str, Any]) -> list[float]:
    return [lag / 2 / RATE * 1e3 for lag in of["lag_frames"] if lag is not None]


def _median_ms(of: dict[str, Any]) -> float | None:
    ways_ms = _ways_ms(of)
    return round(statistics.median(ways_ms), 2) if ways_ms else None


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    series = {
        name: of.pop("over_pieces_ms")
        for name, of in result["contenders"].items()
        if "over_pieces_ms" in of
    }
    plots.cumulative(series, "one way, ms", 10.0, path)
