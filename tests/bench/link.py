"""The Link sessions of two networks that are joined by nothing but a room.

In each network a player's client bridges the room (`--link`), and a DAW with Link, a process that
shares no code with the bridge, writes down its phase a hundred times a second by CLOCK_MONOTONIC,
which all hosts share. One client's clock can run 100 ppm off.
"""

import argparse
import itertools
import random
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from midipool_demo.frame_times import Floats
from midipool_demo.report import spread
from tests.bench.netstage import NetStage
from tests.bench.sync import SETTLE_S, SKEW_PPM, WILD
from tests.e2e.link.lans import lan_stage
from tests.e2e.link.link_daw import BAR_BEATS, LinkDaw, Look
from tests.e2e.waiting import wait_until
from tests.netlab import Impairment

EVERY_S = 4.0
TOLERANCE_US = 3_000.0
SAME_BPM = 0.05


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="of steady playing in each")
    parser.add_argument("--changes", type=int, default=6, help="of a DAW's tempo in each")


def run(options: argparse.Namespace) -> dict[str, Any]:
    runs = {}
    for link, impairment in (("plain", None), ("wild", WILD)):
        for skew_ppm in (0.0, SKEW_PPM):
            name = f"{link}, {skew_ppm:g} ppm"
            runs[name] = _scenario(impairment, skew_ppm, SETTLE_S[link], options)
    return {"seconds": options.seconds, "link_wild": msgspec.to_builtins(WILD), "runs": runs}


def _scenario(
    impairment: Impairment | None, skew_ppm: float, settle_s: float, options: argparse.Namespace
) -> dict[str, Any]:
    with lan_stage(impairment) as stage:
        lans = stage.lan("a"), stage.lan("b")
        a, b = (stage.open_daw(lan) for lan in lans)
        for lan, ppm in zip(lans, (0.0, skew_ppm), strict=True):
            stage.bridge(lan, skew_ppm=ppm).wait_for_output("Ableton Link: 1 peer", 20)
        _wait_members(stage, 2)
        stage.conduct("start")
        for daw in (a, b):
            daw.wait_until(lambda look: look.playing)
        time.sleep(settle_s)
        began_ns = time.monotonic_ns()
        time.sleep(options.seconds)  # the measurement itself
        ended_ns = time.monotonic_ns()
        changes = _change(a, options.changes)
        here, there, members = list(a.looks), list(b.looks), stage.status()["members"]
    at_ns, apart_us = _apart(here, there)
    steady = (at_ns >= began_ns) & (at_ns < ended_ns)
    return {
        "distance_us": spread(np.abs(apart_us[steady])),
        "tempo_changes": _on_it(at_ns, apart_us, changes),
        "step_us": {
            "where_the_tempo_was_changed": _largest_step_us(here, changes[0][0]),
            "in_the_other_network": _largest_step_us(there, changes[0][0]),
        },
        "members": members,
        "over_time": [
            [round(float(ns - began_ns) / 1e9, 2) for ns in at_ns[steady]],
            [round(float(us), 1) for us in np.abs(apart_us[steady])],
        ],
    }


def _wait_members(stage: NetStage, count: int) -> None:
    def all_measured() -> bool:
        members = stage.try_status().get("members", [])
        return len(members) == count and all(m["status"] for m in members)

    wait_until(all_measured, timeout_s=20)


def _change(daw: LinkDaw, count: int) -> list[tuple[int, float]]:
    """(host ns, BPM) of each change of tempo by a DAW; the last one has no tempo, but the end."""
    chance, changes = random.Random(3), []
    for _ in range(count):
        bpm = round(chance.uniform(70, 180), 1)
        changes.append((time.monotonic_ns(), bpm))
        daw("tempo", bpm)
        time.sleep(EVERY_S)  # the measurement itself
    return [*changes, (time.monotonic_ns(), 0.0)]


def _apart(here: list[Look], there: list[Look]) -> tuple[Floats, Floats]:
    """(host ns, by how many µs the bars there are ahead) at each look here."""
    at_ns, beats, bpm = _columns(here)
    other_ns, other_beats, other_bpm = _columns(there)
    last = np.searchsorted(other_ns, at_ns, side="right") - 1
    both = last >= 0
    at_ns, beats, bpm, last = at_ns[both], beats[both], bpm[both], last[both]
    then = other_beats[last] + (at_ns - other_ns[last]) * other_bpm[last] / 60e9
    return at_ns, _signed(then - beats) * 60e6 / bpm


def _columns(looks: list[Look]) -> tuple[Floats, Floats, Floats]:
    table = np.array([(look.host_ns, look.beats, look.bpm) for look in looks])
    return table[:, 0], table[:, 1], table[:, 2]


def _signed(beats: Floats) -> Floats:
    return (beats + BAR_BEATS / 2) % BAR_BEATS - BAR_BEATS / 2


def _on_it(
    at_ns: Floats, apart_us: Floats, changes: list[tuple[int, float]]
) -> list[dict[str, float]]:
    """How long after each change the other network was in phase for good."""
    out = []
    for (from_ns, bpm), (until_ns, _) in itertools.pairwise(changes):
        off = (at_ns >= from_ns) & (at_ns < until_ns) & (np.abs(apart_us) > TOLERANCE_US)
        late_ns = float(at_ns[off].max()) - from_ns if off.any() else 0.0
        out.append({"bpm": bpm, "seconds_until_within_3_ms": round(late_ns / 1e9, 3)})
    return out


def _largest_step_us(looks: list[Look], from_ns: int) -> float:
    """The largest jump of a session's bars between two looks at one tempo."""
    at_ns, beats, bpm = _columns([look for look in looks if look.host_ns >= from_ns])
    steps_us = _signed(np.diff(beats) - np.diff(at_ns) * bpm[1:] / 60e9) * 60e6 / bpm[1:]
    return round(float(np.abs(steps_us[np.abs(np.diff(bpm)) < SAME_BPM]).max(initial=0.0)), 1)


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    series = {name: tuple(run.pop("over_time")) for name, run in result["runs"].items()}
    plots.over_time(series, "bars of the two Link sessions, µs apart", path)
