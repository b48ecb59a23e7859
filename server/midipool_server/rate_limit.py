"""How much one connection may send."""

from dataclasses import dataclass


@dataclass(slots=True)
class RateLimit:
    """A bucket of messages that refills evenly."""

    per_second: float
    burst: float
    name: str = ""
    """What it is called where one sets it."""
    _level: float = 0.0
    _seen_us: int | None = None

    def allow(self, now_us: int, cost: float = 1.0) -> bool:
        """Whether one more message may come at `now_us`; if so, it is counted."""
        if self._seen_us is not None:
            passed_us = max(now_us - self._seen_us, 0)
            self._level = max(0.0, self._level - passed_us * 1e-6 * self.per_second)
        self._seen_us = now_us
        if self._level + cost > self.burst:
            return False
        self._level += cost
        return True
