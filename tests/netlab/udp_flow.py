"""A flow of numbered datagrams from host to host, timed by the kernel on arrival."""

import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from .namespaces import Host

SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>; in CLOCK_REALTIME
SO_RCVBUFFORCE = 33
BUFFER_BYTES = 16_000_000
DATAGRAM = struct.Struct("!Iq")  # number, sending time (ns)
TIMESPEC = struct.Struct("@qq")


@dataclass(frozen=True)
class Arrival:
    """One datagram that came through."""

    number: int
    delay_us: int  # one way, without the wait for the receiving process


class UdpFlow:
    """Datagrams from one host to another, both ends held by this process."""

    def __init__(self, sender: Host, receiver: Host) -> None:
        self.arrivals: list[Arrival] = []
        self._sent = 0
        self._receiving = receiver.socket(port=0)
        self._receiving.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        self._receiving.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._receiving.setblocking(False)
        self._sending = sender.socket(port=0)
        self._sending.connect(self._receiving.getsockname())

    def send(self, count: int, interval_us: int = 0) -> None:
        """Send `count` datagrams at a steady interval, receiving meanwhile."""
        next_ns = time.monotonic_ns()
        for _ in range(count):
            while (early_ns := next_ns - time.monotonic_ns()) > 0:
                self._receive(early_ns / 1e9)
            self._sending.send(DATAGRAM.pack(self._sent, time.time_ns()))
            self._sent += 1
            next_ns += interval_us * 1000

    def receive_until(self, done: Callable[[], bool], within_s: float = 5.0) -> bool:
        """Receive until a condition holds and return True, or False if it never does."""
        deadline_s = time.monotonic() + within_s
        while not (done_now := done()) and time.monotonic() < deadline_s:
            self._receive(0.01)
        self._receive(0)
        return done_now

    def exchange(self, count: int, interval_us: int = 0) -> list[Arrival]:
        """Send `count` datagrams and wait until as many have arrived."""
        expected = len(self.arrivals) + count
        self.send(count, interval_us)
        if not self.receive_until(lambda: len(self.arrivals) >= expected):
            raise TimeoutError(f"{len(self.arrivals)} of {expected} datagrams have arrived")
        return self.arrivals[expected - count :]

    def _receive(self, wait_s: float) -> None:
        """Take what has arrived, waiting for the first."""
        if not select.select([self._receiving], [], [], wait_s)[0]:
            return
        while True:
            try:
                datagram, extras, _, _ = self._receiving.recvmsg(64, 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = TIMESPEC.unpack(extras[0][2])
            number, sent_ns = DATAGRAM.unpack(datagram)
            delay_ns = seconds * 1_000_000_000 + nanoseconds - sent_ns
            self.arrivals.append(Arrival(number, delay_ns // 1000))
