"""The same tick on two machines: hosts in network namespaces, over a plain and a wild link.

All hosts share CLOCK_MONOTONIC, so the truth is known; one client's clock can run 100 ppm off.
Ticks are heard by independent JACK clients, one on each player's own JACK server.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from midipool.timeline import Timeline
from midipool_demo.background import child_environment
from midipool_demo.frame_times import FrameTimes
from midipool_demo.report import SETTLED_S, spread
from midipool_demo.ticks import Ticks, match
from tests.bench.netstage import NetPlayer, NetStage, net_stage
from tests.netlab import Host, Impairment

WILD = Impairment(delay_ms=40, jitter_ms=10, loss=0.02, reorder=True, seed=1)
SKEW_PPM = 100.0
SETTLE_S = {"plain": 1.0, "wild": 10.0}
JOINS = 10


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="measured in each scenario")
    parser.add_argument("--joins", type=int, default=JOINS, help="traced in each scenario")


def run(options: argparse.Namespace) -> dict[str, Any]:
    runs = {}
    for link, impairment in (("plain", None), ("wild", WILD)):
        for skew_ppm in (0.0, SKEW_PPM):
            name = f"{link}, {skew_ppm:g} ppm"
            settle_s = SETTLE_S[link]
            runs[name] = _scenario(impairment, skew_ppm, settle_s, options)
    return {"seconds": options.seconds, "link_wild": msgspec.to_builtins(WILD), "runs": runs}


def _scenario(
    impairment: Impairment | None, skew_ppm: float, settle_s: float, options: argparse.Namespace
) -> dict[str, Any]:
    with net_stage(impairment) as stage:
        stage.start_server()
        first, second = stage.prepare("a"), stage.prepare("b")
        stage.join("a", *first)
        _wait_members(stage, 1)
        stage.conduct("start")
        joined_us = time.monotonic_ns() // 1000
        stage.join("b", *second, skew_ppm=skew_ppm)
        for player in stage.players:
            player.meter.wait_until(lambda heard: heard.connected)
        time.sleep(settle_s + options.seconds)  # the measurement itself
        members = stage.status()["members"]
        timeline = stage.timeline()
        a, b = (_ticks(player, timeline) for player in stage.players)
        result = _distances(a, b, timeline, joined_us + settle_s * 1e6)
        result["members"] = members
        result["joins"] = _joins(stage, first[0], skew_ppm, options.joins)
        return result


def _wait_members(stage: NetStage, count: int) -> None:
    give_up = time.monotonic() + 15
    while time.monotonic() < give_up:
        members = stage.try_status().get("members", [])
        if len(members) >= count and all(m["status"] for m in members):
            return
    raise TimeoutError("the players do not report their clocks")


def _ticks(player: NetPlayer, timeline: Timeline) -> Ticks:
    heard = player.meter.snapshot()
    times = FrameTimes.fit(heard.cycles, player.meter.sample_rate)
    return match(heard.events[0], times, timeline, 0)


def _distances(a: Ticks, b: Ticks, timeline: Timeline, from_us: float) -> dict[str, Any]:
    numbers, here, there = np.intersect1d(a.numbers, b.numbers, return_indices=True)
    due_us = timeline.origin_time_us + numbers * (60e9 / timeline.mbpm / 24)
    apart_us = np.abs(a.late_us[here] - b.late_us[there])
    late = due_us >= from_us
    steady = (a.since_xrun_s[here] > SETTLED_S) & (b.since_xrun_s[there] > SETTLED_S)
    return {
        "distance_us": spread(apart_us[late]),
        "distance_away_from_xruns_us": spread(apart_us[late & steady]),
        "late_a_us": spread(a.late_us[here][late]),
        "late_b_us": spread(b.late_us[there][late]),
        "missing": a.missing + b.missing,
        "extra": a.extra + b.extra,
        "over_time": [
            [round(float(s), 2) for s in (due_us - due_us[0]) / 1e6],
            [round(float(d), 1) for d in apart_us],
        ],
    }


def _joins(stage: NetStage, host: Host, skew_ppm: float, count: int) -> dict[str, Any]:
    """Join again and again, and see when the clock is within 1 ms for good."""
    seconds, errors_late = [], []
    for n in range(count):
        env = child_environment({"MIDIPOOL_TEST_CLOCK": f"{1000 * n + 777},{skew_ppm}"})
        command = [sys.executable, "-m", "tests.bench.clock_trace", stage.url, f"t{n}", "4"]
        process = host.popen(command, env=env, stdout=subprocess.PIPE, text=True)
        trace = json.loads(process.communicate(timeout=30)[0])
        off = [passed for passed, error_us in trace if abs(error_us) > 1000]
        first = trace[0][0]
        seconds.append(round(max([first, *off]), 3))
        errors_late += [abs(error_us) for passed, error_us in trace if passed > 1.0]
    return {
        "seconds_until_within_1_ms": sorted(seconds),
        "error_after_1_s_us": spread(np.array(errors_late)),
    }


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    series = {name: tuple(run.pop("over_time")) for name, run in result["runs"].items()}
    plots.over_time(series, "same tick on both, µs apart", path)
