"""One direction of an impaired link: packets taken here, held, and given out there."""

import heapq
import os
import time
from dataclasses import dataclass

from .impairment import Impairment

QUEUE_PACKETS = 10_000
TURN_PACKETS = 64  # taken before the deliveries that fell due meanwhile
LARGEST_PACKET_BYTES = 65_535


@dataclass
class Counts:
    """Packets of one direction since the link began."""

    sent: int = 0
    delivered: int = 0  # duplicates count twice
    lost: int = 0  # by the impairment or a pulled cable
    overflowed: int = 0  # beyond the queue's bound
    waiting: int = 0


class Direction:
    """Moves packets from one TUN descriptor to another, as an impairment says."""

    def __init__(self, source_fd: int, sink_fd: int, impairment: Impairment) -> None:
        self.source_fd = source_fd
        self._sink_fd = sink_fd
        self._impairment = impairment
        self._connected = True
        self._held: list[tuple[int, int, bytes]] = []  # due (µs), arrival number, packet
        self._counts = Counts()

    def take(self) -> None:
        """Read what the host has sent, at most one turn of it."""
        for _ in range(TURN_PACKETS):
            try:
                packet = os.read(self.source_fd, LARGEST_PACKET_BYTES)
            except BlockingIOError:
                return
            self._counts.sent += 1
            self._hold(packet, time.monotonic_ns() // 1000)

    def deliver(self, now_us: int) -> int | None:
        """Write what is due; return when the next is (µs)."""
        while self._held and self._held[0][0] <= now_us:
            _, _, packet = heapq.heappop(self._held)
            try:
                os.write(self._sink_fd, packet)
                self._counts.delivered += 1
            except OSError:  # the receiver's device is not up
                self._counts.lost += 1
        return self._held[0][0] if self._held else None

    def impair(self, impairment: Impairment) -> None:
        """Treat packets differently from now on; those on their way keep their times."""
        impairment.continue_from(self._impairment)
        self._impairment = impairment

    def connect(self, connected: bool) -> None:
        """Plug or pull; packets on their way in a pulled cable are lost."""
        self._connected = connected
        if not connected:
            self._counts.lost += len(self._held)
            self._held.clear()

    def counts(self) -> Counts:
        """Count the packets so far."""
        self._counts.waiting = len(self._held)
        return self._counts

    def _hold(self, packet: bytes, now_us: int) -> None:
        if not self._connected:
            self._counts.lost += 1
            return
        if len(self._held) >= QUEUE_PACKETS:
            self._counts.overflowed += 1
            return
        deliveries_us = self._impairment.schedule(now_us, len(packet))
        if not deliveries_us:
            self._counts.lost += 1
        for due_us in deliveries_us:
            # An arrival number of its own per packet keeps the order of equal times.
            heapq.heappush(self._held, (due_us, self._counts.sent, packet))
