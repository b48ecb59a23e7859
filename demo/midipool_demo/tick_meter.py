"""The measuring program: a JACK client that writes down every MIDI event and process cycle.

`python -m midipool_demo.tick_meter PORT...` prints a JSON line ten times a second:
{"events": [[frame, input, hex]…], "cycles": [[frame, monotonic_ns]…], "xruns", "lost", "connected"}
Ports that are not there yet are connected as soon as they are.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from midipool_demo.line_program import LineProgram
from midipool_native.jack import JackMeter

EVERY_S = 0.1
CONNECT_S = 0.02


def told(meter: JackMeter) -> dict[str, object]:
    """What it heard and saw since the last time, for a line."""
    return {
        "events": [[e.frame, e.port, e.data.hex()] for e in meter.events()],
        "cycles": meter.cycles(),
        "xruns": meter.xruns,
        "lost": meter.lost,
    }


def main(ports: list[str]) -> None:
    """Measure until standard output is closed."""
    meter = JackMeter(f"meter-{os.getpid()}", max(len(ports), 1))
    connected = [False] * len(ports)
    print(json.dumps({"sample_rate": meter.sample_rate}), flush=True)
    while True:
        for index, port in enumerate(ports):
            # Connecting anew is refused while it stands, and works after the port came back.
            connected[index] = meter.connect(port, index) or connected[index]
        try:
            print(json.dumps({**told(meter), "connected": all(connected)}), flush=True)
        except BrokenPipeError:
            return
        time.sleep(EVERY_S if all(connected) else CONNECT_S)


@dataclass
class Heard:
    """What a meter heard: (frame, bytes) of each input, and (frame, ns) of each cycle."""

    events: list[list[tuple[int, bytes]]]
    cycles: list[tuple[int, int]] = field(default_factory=list)
    xruns: int = 0
    lost: int = 0
    connected: bool = False


class TickMeter(LineProgram):
    """Runs the measuring program on a JACK server and collects what it prints."""

    def __init__(self, env: Mapping[str, str], *ports: str, keep_cycles: int | None = None) -> None:
        self.heard = Heard(events=[[] for _ in ports or [""]])
        self.sample_rate = 0
        self._keep_cycles = keep_cycles
        super().__init__(env, "midipool_demo.tick_meter", *ports)

    def _take(self, line: dict[str, Any]) -> None:
        if "sample_rate" in line:
            self.sample_rate = line["sample_rate"]
            return
        heard = self.heard
        for frame, port, data in line["events"]:
            heard.events[port].append((frame, bytes.fromhex(data)))
        heard.cycles.extend((frame, ns) for frame, ns in line["cycles"])
        if self._keep_cycles is not None:
            del heard.cycles[: -self._keep_cycles]
        heard.xruns, heard.lost = line["xruns"], line["lost"]
        heard.connected = line["connected"]

    def snapshot(self, last_events: int | None = None) -> Heard:
        """A copy of what was heard so far."""
        with self._lock:
            heard = self.heard
            keep = slice(None) if last_events is None else slice(-last_events, None)
            events = [list(port[keep]) for port in heard.events]
            return Heard(events, list(heard.cycles), heard.xruns, heard.lost, heard.connected)

    def wait_until(self, done: "object", timeout_s: float = 20.0) -> Heard:
        """Wait until `done(heard)` holds; raises TimeoutError."""
        assert callable(done)
        give_up = time.monotonic() + timeout_s
        with self._changed:
            while not done(self.heard):
                left = give_up - time.monotonic()
                if left <= 0 or (not self._changed.wait(left) and not done(self.heard)):
                    last = [port[-5:] for port in self.heard.events]
                    state = f"connected: {self.heard.connected}, xruns: {self.heard.xruns}"
                    raise TimeoutError(
                        f"not heard within {timeout_s} s; last events: {last}; {state}"
                    )
        return self.snapshot()


if __name__ == "__main__":
    main(sys.argv[1:])
