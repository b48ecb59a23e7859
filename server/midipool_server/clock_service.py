"""The server's clock: room time, its name, and the UDP socket that answers probes."""

import hashlib
import os
import time
from pathlib import Path

from midipool_native import host_clock
from midipool_native.clock_responder import ClockResponder
from midipool_server import udp


def now_us() -> int:
    """Room time: the server's monotonic clock, in µs."""
    return host_clock.now_ns() // 1000


def unix_us(room_us: int) -> int:
    """The wall-clock time of a room time, as the clocks stand now: for people."""
    return time.time_ns() // 1000 + room_us - now_us()


def wall_clock(room_us: int) -> str:
    """The same in words: `2026-11-28T19:20:11Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_us(room_us) // 1_000_000))


def clock_id() -> str:
    """Names the clock that room time is measured on: 16 hexadecimal digits.

    CLOCK_MONOTONIC goes on while the machine runs, so a server that is restarted has the same
    clock, and its members' estimates stay good. On another machine or after a boot it is another.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = os.urandom(16).hex()
    test_clock = os.environ.get(host_clock.TEST_CLOCK, "")
    return hashlib.sha256(f"midipool clock {boot} {test_clock}".encode()).hexdigest()[:16]


def open_responder(host: str, port: int, id: str) -> ClockResponder:
    """Answer clock probes at UDP `host`:`port`; raises Unavailable."""
    sock = udp.bound_socket(host, port, "--port")
    return ClockResponder(sock, bytes.fromhex(id))
