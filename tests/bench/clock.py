"""Ticks at the JACK port with one core loaded, beside jack_midi_clock and a python-rtmidi loop.

All three play into one JACK server and one meter in the same run. A tick's ideal is the timeline's
time for it; the peers have no timeline, so theirs is the straight line through their own ticks.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from midipool.timeline import Timeline
from midipool_demo.background import Background
from midipool_demo.frame_times import Floats, FrameTimes, Ints
from midipool_demo.report import SETTLED_S, spread
from midipool_demo.stage import Stage
from midipool_demo.ticks import match
from tests.bench.load import one_core_loaded

FRAME_US = 1e6 / 48_000
WARM_UP_S = 15.0
PEERS = {"jack_midi_clock": "jack_midi_clock:mclk_out", "python_rtmidi_loop": "plain-loop:out"}


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=600.0, help="at each tempo")
    parser.add_argument("--bpm", type=float, nargs="+", default=[120.0, 133.7])


def run(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "seconds": options.seconds,
        "runs": {f"{bpm:g}": _at_tempo(bpm, options.seconds) for bpm in options.bpm},
    }


def _at_tempo(bpm: float, seconds: float) -> dict[str, Any]:
    with one_core_loaded(), Stage(("drums",), peers=tuple(PEERS.values())) as stage:
        meter = stage.players[0].meter
        env = stage.players[0].jack.env
        stage.conduct("tempo", f"{bpm}")
        loop = Background.python("tests.bench.rtmidi_loop", f"{bpm}", env=env)
        mclk = Background(["jack_midi_clock", "-B", "-b", f"{bpm}", "-P"], env)
        with loop, mclk:
            meter.wait_until(lambda heard: heard.connected)
            _roll_jack_transport(env)
            stage.conduct("start")
            time.sleep(WARM_UP_S + seconds)  # the measurement itself
            room = stage.status()
            heard = meter.snapshot()
    timeline = msgspec.convert(room["timelines"][0], Timeline)
    times = FrameTimes.fit(heard.cycles, 48_000)
    begin_us = timeline.origin_time_us + WARM_UP_S * 1e6
    out: dict[str, Any] = {"xruns": heard.xruns, "meter_lost": heard.lost}
    out["midipool"] = _ours(heard.events[0], times, timeline, begin_us)
    for index, name in enumerate(PEERS, start=1):
        out[name] = _peer(heard.events[index], times, begin_us)
    return out


def _ours(
    events: list[tuple[int, bytes]], times: FrameTimes, timeline: Timeline, begin_us: float
) -> dict[str, Any]:
    ticks = match(events, times, timeline, 0)
    heard_us = np.array([timeline.time_at(-(-int(n) * 1_000_000 // 24)) for n in ticks.numbers])
    warm = heard_us >= begin_us
    counts = {"missing": ticks.missing, "extra": ticks.extra, "out_of_order": ticks.out_of_order}
    return {
        **counts,
        **_figures(ticks.late_us[warm], ticks.since_xrun_s[warm]),
        "late_us": spread(ticks.late_us[warm]),
    }


def _peer(events: list[tuple[int, bytes]], times: FrameTimes, begin_us: float) -> dict[str, Any]:
    frames: Ints = np.array([f for f, data in events if data == b"\xf8"], dtype=np.int64)
    at_us = times.at(frames) / 1000
    frames, at_us = frames[at_us >= begin_us], at_us[at_us >= begin_us]
    if len(frames) < 100:
        return {"ticks": len(frames)}
    slope, offset = np.polyfit(np.arange(len(at_us)), at_us, 1)
    off = at_us - (slope * np.arange(len(at_us)) + offset)
    return _figures(off, times.since_jump_ns(frames) / 1e9)


def _figures(off_us: Floats, since_xrun_s: Floats) -> dict[str, Any]:
    """Distance from the ideal in frames, its constant part taken away and stated."""
    steady = since_xrun_s > SETTLED_S
    # In the middle: any other constant would count a tick's rounding to a frame on one side only.
    ends = np.quantile(off_us[steady], [0.01, 0.99]) if steady.any() else np.zeros(2)
    bias = float(ends.mean())
    frames = (off_us - bias) / FRAME_US
    return {
        "ticks": len(off_us),
        "constant_us": round(bias, 2),
        "frames_from_ideal": spread(np.abs(frames)),
        "frames_from_ideal_away_from_xruns": spread(np.abs(frames[steady])),
        "share_within_1_frame": round(float((np.abs(frames) <= 1.0).mean()), 6),
        "share_within_1_frame_away_from_xruns": round(
            float((np.abs(frames[steady]) <= 1.0).mean()), 6
        ),
        "histogram": _histogram(frames[steady]),
    }


def _histogram(frames: Floats) -> dict[str, list[float]]:
    counts, edges = np.histogram(np.clip(frames, -200, 200), bins=800, range=(-200, 200))
    return {"edges": [round(float(e), 2) for e in edges], "counts": [int(c) for c in counts]}


def _roll_jack_transport(env: dict[str, str]) -> None:
    code = "import jack; c = jack.Client('roll', no_start_server=True); c.transport_start()"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **env}, check=True)


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    names = ["midipool", *PEERS]
    plots.histograms(result["runs"], names, path)
    for run in result["runs"].values():
        for name in names:
            run[name].pop("histogram", None)
