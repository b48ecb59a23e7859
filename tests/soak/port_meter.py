"""Hears several members' MIDI ports on a JACK server, for hours: what was told is forgotten.

`python -m tests.soak.port_meter PORT...` prints a JSON line five times a second:
{"events": [[frame, input, hex]…], "cycles": [[frame, monotonic_ns]…], "xruns", "lost"}
"""

import itertools
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from midipool_demo.frame_times import FrameTimes
from midipool_demo.line_program import LineProgram
from midipool_demo.tick_meter import told
from midipool_native.jack import JackMeter
from tests.soak.ticks import PERIOD, Event

EVERY_S, CONNECT_EVERY = 0.2, 2
KEEP_NS = 20_000_000_000
BEHIND_NS = 1_500_000_000
"""So long cycles are waited for that tell when a frame was."""
LEAST_CYCLES = 20
GAP_PERIODS = 1.5


def main(ports: list[str]) -> None:
    """Measure until standard output is closed."""
    meter = JackMeter(f"soak-meter-{os.getpid()}", len(ports))
    print(json.dumps({"sample_rate": meter.sample_rate}), flush=True)  # noqa: T201
    turn = 0
    while True:
        if turn % CONNECT_EVERY == 0:
            for index, port in enumerate(ports):
                meter.connect(port, index)  # refused while it stands, and while there is none
        turn += 1
        try:
            print(json.dumps(told(meter)), flush=True)  # noqa: T201
        except BrokenPipeError:
            return
        time.sleep(EVERY_S)


class PortMeter(LineProgram):
    """Runs the program, and says when what was heard was; a context manager."""

    def __init__(self, env: Mapping[str, str], ports: list[str]) -> None:
        self.xruns = self.lost = 0
        self.cycles = self.missed = 0
        self._ports = ports
        self._rate = 0
        self._events: list[tuple[int, int, bytes]] = []
        self._cycles: list[tuple[int, int]] = []
        self._gaps: list[tuple[int, int]] = []
        super().__init__(env, "tests.soak.port_meter", *ports)

    def _take(self, line: dict[str, Any]) -> None:
        if "sample_rate" in line:
            self._rate = line["sample_rate"]
            return
        self._events += [(frame, port, bytes.fromhex(data)) for frame, port, data in line["events"]]
        new = [(frame, ns) for frame, ns in line["cycles"]]
        self._note_gaps([*self._cycles[-1:], *new], line["xruns"] > self.xruns)
        self._cycles += new
        self.cycles += len(line["cycles"])
        self.xruns, self.lost = line["xruns"], line["lost"]

    def _note_gaps(self, cycles: list[tuple[int, int]], had_xrun: bool) -> None:
        """Cycles that JACK left out, or that it did not let us hear."""
        for (frame, ns), (later_frame, later_ns) in itertools.pairwise(cycles):
            missed = later_frame - frame != PERIOD
            if missed or (had_xrun and (later_ns - ns) * self._rate > GAP_PERIODS * PERIOD * 1e9):
                self._gaps.append((ns // 1000, later_ns // 1000))
                self.missed += 1

    def gaps(self) -> list[tuple[int, int]]:
        """(from, to) in room time, since the last call: what was played then was not heard."""
        with self._lock:
            found, self._gaps = self._gaps, []
        return found

    def heard(self, all_of_it: bool = False) -> tuple[int, dict[str, list[Event]]]:
        """(until when, by port) what was heard since the last call, in room time."""
        with self._lock:
            return self._timed(0 if all_of_it else BEHIND_NS)

    def _timed(self, behind_ns: int) -> tuple[int, dict[str, list[Event]]]:
        if len(self._cycles) < LEAST_CYCLES:
            return 0, {}
        times = FrameTimes.fit(self._cycles, self._rate)
        until_ns = self._cycles[-1][1] - behind_ns
        self._cycles = [c for c in self._cycles if c[1] > self._cycles[-1][1] - KEEP_NS]
        if not self._events:
            return until_ns // 1000, {}
        at_ns = times.at(np.array([frame for frame, _, _ in self._events], dtype=np.int64))
        found: dict[str, list[Event]] = {}
        left = []
        for (frame, port, data), ns in zip(self._events, at_ns, strict=True):
            if ns > until_ns:
                left.append((frame, port, data))
            else:
                found.setdefault(self._ports[port], []).append((int(ns) // 1000, data))
        self._events = left
        return until_ns // 1000, found


if __name__ == "__main__":
    main(sys.argv[1:])
