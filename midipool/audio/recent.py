"""Counts that run on, and how much of them is recent."""

from collections import deque

# One look every so often is kept, so that many looks a second cost no memory.
GRAIN_US = 100_000


class Recent:
    """Looks at two running counts, such as packets that came and packets that were lost."""

    def __init__(self, window_us: int) -> None:
        self.window_us = window_us
        self._looks: deque[tuple[int, int, int]] = deque()

    def look(self, now_us: int, good: int, bad: int) -> None:
        """The counts at `now_us`. Counts that go back are those of a new beginning."""
        last = self._looks[-1] if self._looks else None
        if last is not None and (good < last[1] or bad < last[2] or now_us < last[0]):
            self._looks.clear()
        if len(self._looks) >= 2 and now_us - self._looks[-2][0] < GRAIN_US:
            self._looks.pop()
        self._looks.append((now_us, good, bad))
        # One look is kept from before the window: what came since then is counted.
        while len(self._looks) > 2 and self._looks[1][0] <= now_us - self.window_us:
            self._looks.popleft()

    @property
    def good(self) -> int:
        """What came of the first count."""
        return self._looks[-1][1] - self._looks[0][1] if self._looks else 0

    @property
    def bad(self) -> int:
        """What came of the second."""
        return self._looks[-1][2] - self._looks[0][2] if self._looks else 0

    @property
    def share(self) -> float:
        """The second's share of both, 0 to 1."""
        return self.bad / (self.good + self.bad) if self.good + self.bad else 0.0

    @property
    def span_us(self) -> int:
        """How long has been looked at, at most about the window."""
        return self._looks[-1][0] - self._looks[0][0] if self._looks else 0
