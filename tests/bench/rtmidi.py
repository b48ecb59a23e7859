"""Lateness of the rtmidi sink's thread into a stub port, idle and with one core loaded.

A stub stands for the port because rtmidi on JACK is quantised to periods: what is measured is when
the bytes are handed over.
"""

import argparse
import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from midipool_demo.report import spread
from tests.bench.load import one_core_loaded

INTERVAL_US = 20_833


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="of each run")


def run(options: argparse.Namespace) -> dict[str, Any]:
    runs = {}
    for name, load in (("idle", contextlib.nullcontext()), ("one core loaded", one_core_loaded())):
        with load:
            late_us = _lateness_us(round(options.seconds * 1e6 / INTERVAL_US))
        runs[name] = {"late_us": spread(np.array(late_us)), "values_us": late_us}
    return {"seconds": options.seconds, "runs": runs}


def _lateness_us(count: int) -> list[float]:
    """Measured in a process of its own, set up as the engine is."""
    code = "from tests.bench.rtmidi import child; child()"
    done = subprocess.run(
        [sys.executable, "-c", code, str(count)], capture_output=True, text=True, check=True
    )
    return [float(line) for line in done.stdout.split()]


def child() -> None:
    """Play `count` ticks into a stub port and print how late each was, in µs."""
    import threading

    from midipool.clock_map import ClockMap
    from midipool_client.engine.__main__ import ENGINE_PRIORITY
    from midipool_client.engine.rtmidi_sink import play
    from midipool_native import host_clock
    from midipool_native.spooler import Spooler

    count = int(sys.argv[1])
    sys.setswitchinterval(1e-4)
    host_clock.lock_memory()
    host_clock.realtime_thread(ENGINE_PRIORITY)
    spooler, stopping, sent_ns = Spooler(), threading.Event(), []
    start_ns = host_clock.now_ns() + 100_000_000
    spooler.submit(clock_map=ClockMap(start_ns, 0))

    def stub(data: bytes) -> None:
        sent_ns.append(host_clock.now_ns())

    player = threading.Thread(target=play, args=(spooler, stub, stopping))
    player.start()
    for first in range(0, count, 100):
        # As the client does: some seconds ahead, a batch at a time.
        spooler.submit((n * INTERVAL_US, b"\xf8") for n in range(first, min(first + 100, count)))
        while len(sent_ns) < first - 50:
            threading.Event().wait(0.05)
    while len(sent_ns) < count:
        threading.Event().wait(0.05)
    stopping.set()
    player.join()
    for n, at_ns in enumerate(sent_ns):
        sys.stdout.write(f"{(at_ns - start_ns - n * INTERVAL_US * 1000) / 1000:.2f}\n")


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    series = {name: run.pop("values_us") for name, run in result["runs"].items()}
    plots.cumulative(series, "late by, in µs", 200.0, path)
