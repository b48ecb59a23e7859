"""A program that tries real-time priority, locked memory and exact sleeps, on itself.

`python -m midipool_client.doctor.realtime_trial` prints a RealtimeTrial as JSON. It waits for due
events in C as the engine's rtmidi sink does (midipool_native.spooler), a thousand a second, once
without and once with real-time priority.
"""

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from midipool.clock_map import ClockMap
from midipool_client.doctor.timers import Lateness, RealtimeTrial, lateness
from midipool_native import host_clock
from midipool_native.spooler import Spooler

T = TypeVar("T")

PRIORITY = 80
SLEEPS = 1000
SLEEP_US = 1000
LEAD_US = 20_000
PATIENCE_NS = 1_000_000_000


def measure() -> Lateness:
    """How late this thread is at a thousand deadlines, 1 ms apart."""
    spooler = Spooler()
    first_us = host_clock.now_ns() // 1000 + LEAD_US
    deadlines = [(first_us + number * SLEEP_US, b"\xf8") for number in range(SLEEPS)]
    spooler.submit(deadlines, clock_map=ClockMap(0, 0))  # room time is host time
    late_ns: list[int] = []
    while len(late_ns) < SLEEPS and spooler.wait_next(PATIENCE_NS) is not None:
        late_ns.append(spooler.stats().max_late_ns)  # of this one, since the last call
    return lateness(late_ns)


def trial() -> RealtimeTrial:
    """Try it all; takes two seconds."""
    normal = _in_a_thread(measure)
    locked = host_clock.lock_memory()
    permitted: list[bool] = []

    def measure_in_real_time() -> Lateness | None:
        permitted.append(host_clock.realtime_thread(PRIORITY))
        return measure() if permitted[0] else None

    with_realtime = _in_a_thread(measure_in_real_time)
    return RealtimeTrial(locked, permitted == [True], normal, with_realtime)


def _in_a_thread(function: Callable[[], T]) -> T:
    """Call it in a thread of its own, whose priority and timers are nobody else's."""
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(trial()).decode())
