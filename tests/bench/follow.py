"""A DAW that leads, and three followers on hosts of their own over a wild network.

The DAW is a JACK client that writes MIDI clock by its own tempo into the leading member's port.
What leaves the DAW and what reaches each follower's port is heard by independent JACK clients; the
same tick of the song is compared, by CLOCK_MONOTONIC, which all hosts share.
"""

import argparse
import contextlib
import random
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from midipool_demo.frame_times import Floats, FrameTimes
from midipool_demo.report import SETTLED_S, spread
from midipool_demo.tick_meter import TickMeter
from tests.bench.netstage import NetStage, net_stage
from tests.bench.sync import WILD
from tests.e2e.leading_daw import SAFE_US, LeadingDaw, connect
from tests.e2e.listening import Daw
from tests.e2e.waiting import wait_until
from tests.midipool.daw.echo_trials import false_alarms

FOLLOWERS = ("bass", "keys", "voice")
WARM_UP_S = 20.0
EVERY_S = 12.0
ON_IT_US = 1_000.0
Ticks = dict[int, float]
"""Host time, in µs, of each tick of the song."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="of steady playing")
    parser.add_argument("--changes", type=int, default=8, help="of the leader's tempo")
    parser.add_argument("--guard-hours", type=float, default=1.0, help="simulated, for the guard")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with net_stage(WILD) as stage, contextlib.ExitStack() as stack:
        stage.start_server()
        for name in ("leader", *FOLLOWERS):
            stage.join(name, *stage.prepare(name))
        _wait_members(stage, 4)
        env = stage.players[0].jack.env
        daw = stack.enter_context(LeadingDaw(env))
        own = stack.enter_context(TickMeter(env, daw.out))
        own.wait_until(lambda heard: heard.connected)
        connect(env, daw.out, "midiPool:midi_send")
        daw("tempo", 120)
        daw("start")
        time.sleep(WARM_UP_S + options.seconds)  # the measurement itself
        steady_until_us = time.monotonic_ns() / 1000
        changes = _change(daw, options.changes)
        ended_us = time.monotonic_ns() / 1000
        led = _ticks(own)
        follows = {p.name: _ticks(p.meter) for p in stage.players[1:]}
        xruns = {p.name: p.meter.heard.xruns for p in stage.players}
    begin_us = min(led.values()) + WARM_UP_S * 1e6
    return {
        "seconds": options.seconds,
        "link": msgspec.to_builtins(WILD),
        "xruns": xruns,
        "follower_from_leader_us": {
            name: spread(_distances(led, ticks, begin_us, steady_until_us))
            for name, ticks in follows.items()
        },
        "follower_from_follower_us": spread(
            np.concatenate(
                [
                    _distances(follows[a], follows[b], begin_us, steady_until_us)
                    for a, b in zip(FOLLOWERS, FOLLOWERS[1:] + FOLLOWERS[:1], strict=True)
                ]
            )
        ),
        "tempo_changes": _on_it(led, follows, changes, ended_us),
        "echo_guard": {
            "simulated_hours": options.guard_hours,
            "false_alarms": false_alarms(options.guard_hours * 3600, range(1)),
        },
        "over_time": {name: _over_time(led, ticks) for name, ticks in follows.items()},
    }


def _wait_members(stage: NetStage, count: int) -> None:
    def all_measured() -> bool:
        members = stage.try_status().get("members", [])
        return len(members) == count and all(m["status"] for m in members)

    wait_until(all_measured, timeout_s=20)


def _change(daw: LeadingDaw, count: int) -> list[tuple[float, float]]:
    """(host µs, BPM) of each change of tempo."""
    chance, changes = random.Random(3), []
    for _ in range(count):
        bpm = round(chance.uniform(70, 180), 1)
        changes.append((time.monotonic_ns() / 1000 + SAFE_US, bpm))
        daw("tempo", bpm)
        time.sleep(EVERY_S)  # the measurement itself
    return changes


def _ticks(meter: TickMeter) -> Ticks:
    heard = meter.snapshot()
    times = FrameTimes.fit(heard.cycles, meter.sample_rate)
    clocks = Daw().hear(heard.events[0]).clocks
    frames = np.array([frame for frame, _ in clocks], dtype=np.int64)
    at_us = times.at(frames) / 1000
    settled = times.since_jump_ns(frames) / 1e9 > SETTLED_S
    return {tick: float(us) for (_, tick), us, ok in zip(clocks, at_us, settled, strict=True) if ok}


def _distances(a: Ticks, b: Ticks, from_us: float, until_us: float) -> Floats:
    both = [n for n in a if n in b and from_us <= a[n] < until_us]
    return np.array([abs(a[n] - b[n]) for n in both])


def _on_it(
    led: Ticks, follows: dict[str, Ticks], changes: list[tuple[float, float]], ended_us: float
) -> list[dict[str, float]]:
    """How long after each change the last follower was within 1 ms of the leader for good."""
    ends = [at_us for at_us, _ in changes[1:]] + [ended_us]
    out = []
    for (at_us, bpm), end_us in zip(changes, ends, strict=True):
        late = [
            led[n] - at_us
            for ticks in follows.values()
            for n in led
            if at_us <= led[n] < end_us and abs(led[n] - ticks.get(n, np.inf)) > ON_IT_US
        ]
        seconds = round(max(late, default=0) / 1e6, 3)
        out.append({"bpm": bpm, "seconds_until_all_within_1_ms": seconds})
    return out


def _over_time(led: Ticks, ticks: Ticks) -> list[list[float]]:
    numbers = sorted(n for n in led if n in ticks)
    begin_us = led[numbers[0]]
    return [
        [round((led[n] - begin_us) / 1e6, 2) for n in numbers],
        [round(abs(led[n] - ticks[n]), 1) for n in numbers],
    ]


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    series = {name: tuple(points) for name, points in result.pop("over_time").items()}
    plots.over_time(series, "follower's tick from the leading DAW's, µs apart", path)
