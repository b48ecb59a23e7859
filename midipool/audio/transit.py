"""How evenly a sender's packets come: how much longer than the quickest one each took."""

from bisect import bisect_left, insort
from collections import deque

WINDOW_US = 10_000_000


class TransitWindow:
    """The packets of the last 10 s. The sender's and our clock are both room time."""

    def __init__(self) -> None:
        self._transits: deque[tuple[int, int]] = deque()
        self._sorted: list[int] = []

    def add(self, sent_us: int, received_us: int) -> None:
        """A packet came. As both ends only estimate the room's clock, its transit may be negative.

        Packets are added in the order in which they came.
        """
        self._transits.append((received_us, received_us - sent_us))
        insort(self._sorted, received_us - sent_us)
        while self._transits[0][0] <= received_us - WINDOW_US:
            _, old = self._transits.popleft()
            del self._sorted[bisect_left(self._sorted, old)]

    def forget(self) -> None:
        """The path has changed: what was measured on the other one says nothing."""
        self._transits.clear()
        self._sorted.clear()

    @property
    def least_us(self) -> int | None:
        """The shortest transit; None when nothing came."""
        return self._sorted[0] if self._sorted else None

    def jitter_us(self, percent: int = 99) -> int:
        """So much above the least, or less, took `percent` of the packets (nearest rank)."""
        if not self._sorted:
            return 0
        rank = -(-len(self._sorted) * percent // 100)
        return self._sorted[max(rank, 1) - 1] - self._sorted[0]
