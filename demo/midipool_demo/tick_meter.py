"""The measuring program: a JACK client that writes down every MIDI event and process cycle.

`python -m midipool_demo.tick_meter PORT...` prints a JSON line ten times a second:
{"events": [[frame, input, hex]…], "cycles": [[frame, monotonic_ns]…], "xruns", "lost", "connected"}
Ports that are not there yet are connected as soon as they are.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

from midipool_demo.background import child_environment
from midipool_native.jack import JackMeter

EVERY_S = 0.1
CONNECT_S = 0.02


def main(ports: list[str]) -> None:
    """Measure until standard output is closed."""
    meter = JackMeter(f"meter-{os.getpid()}", max(len(ports), 1))
    connected = [False] * len(ports)
    print(json.dumps({"sample_rate": meter.sample_rate}), flush=True)
    while True:
        for index, port in enumerate(ports):
            # Connecting anew is refused while it stands, and works after the port came back.
            connected[index] = meter.connect(port, index) or connected[index]
        line = {
            "events": [[e.frame, e.port, e.data.hex()] for e in meter.events()],
            "cycles": meter.cycles(),
            "xruns": meter.xruns,
            "lost": meter.lost,
            "connected": all(connected),
        }
        try:
            print(json.dumps(line), flush=True)
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


class TickMeter:
    """Runs the measuring program on a JACK server and collects what it prints."""

    def __init__(self, env: Mapping[str, str], *ports: str, keep_cycles: int | None = None) -> None:
        self.heard = Heard(events=[[] for _ in ports or [""]])
        self.sample_rate = 0
        self._keep_cycles = keep_cycles
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "midipool_demo.tick_meter", *ports],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=child_environment(env),
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), daemon=True
        )
        self._reader.start()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            self._take(json.loads(line))

    def _take(self, line: dict[str, object]) -> None:
        with self._changed:
            if "sample_rate" in line:
                self.sample_rate = int(str(line["sample_rate"]))
                return
            heard = self.heard
            for frame, port, data in line["events"]:  # type: ignore[attr-defined]
                heard.events[port].append((frame, bytes.fromhex(data)))
            heard.cycles.extend(tuple(c) for c in line["cycles"])  # type: ignore[attr-defined]
            if self._keep_cycles is not None:
                del heard.cycles[: -self._keep_cycles]
            heard.xruns, heard.lost = int(str(line["xruns"])), int(str(line["lost"]))
            heard.connected = bool(line["connected"])
            self._changed.notify_all()

    @property
    def pid(self) -> int:
        """Process id; the JACK client is called `meter-PID`."""
        return self._process.pid

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

    def close(self) -> None:
        """End the measuring program."""
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> "TickMeter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


if __name__ == "__main__":
    main(sys.argv[1:])
