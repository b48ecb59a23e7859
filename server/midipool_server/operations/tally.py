"""What a server counts while it works. Pure; plain numbers, so that counting costs nothing."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

LEAD_S = (0.0, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
ERROR_S = (50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 100e-3)
TRIP_S = (1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0)
LAG_S = (1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclass(slots=True)
class Buckets:
    """A histogram: how often a value was at most each of the bounds."""

    bounds: tuple[float, ...]
    sum: float = 0.0
    counts: list[int] = field(init=False)
    """One more than the bounds: the last is of what is above all of them."""

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


@dataclass(slots=True)
class Tally:
    """Everything that rises; what is now is looked at when somebody asks."""

    joined: int = 0
    refused: "Counter[str]" = field(default_factory=Counter)
    """Who was not let in, by the error's code."""
    received: "Counter[str]" = field(default_factory=Counter)
    """Messages, by type."""
    errors: "Counter[str]" = field(default_factory=Counter)
    """Answers to them, by the error's code."""
    cut: "Counter[str]" = field(default_factory=Counter)
    """Connections that were ended from here, by why."""
    sent: int = 0
    """Messages put into outboxes."""
    modules_started: int = 0
    modules_failed: int = 0
    """Processes of theirs that ended by an error, or had to be killed."""
    bar_sync_lead_s: Buckets = field(default_factory=lambda: Buckets(LEAD_S))
    clock_error_s: Buckets = field(default_factory=lambda: Buckets(ERROR_S))
    round_trip_s: Buckets = field(default_factory=lambda: Buckets(TRIP_S))
    loop_lag_s: Buckets = field(default_factory=lambda: Buckets(LAG_S))
