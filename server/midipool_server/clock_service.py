"""The server's clock: room time, its name, and the UDP socket that answers probes."""

import hashlib
import os
import socket
from pathlib import Path

from midipool.errors import Unavailable
from midipool_native import host_clock
from midipool_native.clock_responder import ClockResponder


def now_us() -> int:
    """Room time: the server's monotonic clock, in µs."""
    return host_clock.now_ns() // 1000


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
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        raise Unavailable(f"UDP {host}:{port}: {error.strerror or error}") from None
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
    except OSError as error:
        sock.close()
        text = (
            f"UDP port {port} on {host!r} cannot be used ({error.strerror}): choose another --port"
        )
        raise Unavailable(text) from None
    return ClockResponder(sock, bytes.fromhex(id))
