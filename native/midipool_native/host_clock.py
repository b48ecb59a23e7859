"""The host's monotonic clock, the one that everything local is measured on.

For tests it can be set off against CLOCK_MONOTONIC by the environment variable
MIDIPOOL_TEST_CLOCK=OFFSET_MS,PPM; every process of midiPool then lives on such a clock.
"""

import math
import os
import time

from midipool.errors import Unavailable
from midipool_native._rt import lib

TEST_CLOCK = "MIDIPOOL_TEST_CLOCK"
MAX_OFFSET_MS, MAX_PPM = 1e11, 1e4


def set_off_for_tests() -> None:
    """Obey MIDIPOOL_TEST_CLOCK; call once, when a program starts."""
    setting = os.environ.get(TEST_CLOCK)
    if not setting:
        return
    try:
        offset_ms, ppm = (float(part) for part in setting.split(","))
    except ValueError:
        offset_ms = ppm = math.nan
    if not (abs(offset_ms) <= MAX_OFFSET_MS and abs(ppm) <= MAX_PPM):
        rule = f"OFFSET_MS,PPM within ±{MAX_OFFSET_MS:.0f} and ±{MAX_PPM:.0f}"
        raise Unavailable(f"{TEST_CLOCK}={setting!r} is not {rule}")
    lib.mp_host_clock_set(round(offset_ms * 1e6), ppm * 1e-6)


def now_ns() -> int:
    """The host clock, in ns."""
    return int(lib.mp_host_now_ns())


def from_realtime_ns(realtime_ns: int) -> int:
    """Host time of a kernel timestamp (CLOCK_REALTIME) that was taken just now, in ns."""
    return int(lib.mp_host_from_realtime_ns(realtime_ns))


def asleep_ns() -> int:
    """How long this machine has slept since it booted, in ns; 0 where the system does not say."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0
    since_boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return max(since_boot_ns - time.clock_gettime_ns(time.CLOCK_MONOTONIC), 0)


def realtime_thread(priority: int) -> bool:
    """Give this thread a real-time priority; False when the system does not permit it."""
    return bool(lib.mp_thread_realtime(priority) == lib.MP_OK)


def name_thread(name: str) -> None:
    """What process viewers call this thread and those that it starts; 15 letters at most."""
    lib.mp_thread_name(name.encode())


def lock_memory() -> bool:
    """Keep this process's memory from being paged out; False when not permitted."""
    return bool(lib.mp_lock_memory() == lib.MP_OK)
