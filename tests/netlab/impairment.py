"""What a bad network does to packets: a pure, seeded model that reads no clock."""

from dataclasses import dataclass
from random import Random

MOST_OUTAGE = 0.3


@dataclass
class Impairment:
    """One direction of a link: its settings, and the state of the line so far.

    With jitter and kept order a packet also waits for the one before it, so a stream
    denser than the jitter is late by more than `delay_ms` on average.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0  # uniform, ± around the delay
    loss: float = 0.0  # share of packets, 0 to 1
    burst_loss_length: float = 1.0  # mean packets lost in a row (Gilbert); 1: independent
    outage: float = 0.0  # share of the time in which nothing comes through, 0 to 0.3
    outage_ms: float = 50.0  # the longest, and the shortest time between two
    reorder: bool = False
    duplicate: float = 0.0  # share of packets that arrive twice
    rate_mbit: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.loss <= 1 and 0 <= self.duplicate <= 1):
            raise ValueError("loss and duplicate are shares between 0 and 1")
        if self.delay_ms < 0 or self.jitter_ms < 0:
            raise ValueError("delay_ms and jitter_ms cannot be negative")
        if self.burst_loss_length < 1:
            raise ValueError("a burst of loss is at least 1 packet long")
        if not (0 <= self.outage <= MOST_OUTAGE and self.outage_ms > 0):
            raise ValueError(f"outage is a share up to {MOST_OUTAGE}, and outage_ms above 0")
        if self.rate_mbit is not None and self.rate_mbit <= 0:
            raise ValueError("rate_mbit must be above 0")
        # One stream of chance per effect: the same packets are lost whatever the jitter.
        self._loss_chance = Random(f"loss {self.seed}")
        self._jitter_chance = Random(f"jitter {self.seed}")
        self._duplicate_chance = Random(f"duplicate {self.seed}")
        self._outage_chance = Random(f"outage {self.seed}")
        self._outage_us: tuple[float, float] | None = None
        self._losing = self._loss_chance.random() < self.loss
        self._line_free_us = 0.0
        self._last_delivery_us = 0

    def schedule(self, now_us: int, size_bytes: int) -> list[int]:
        """Delivery times in µs of a packet sent now: none if lost, two if duplicated."""
        sent_us = self._leave_the_sender(now_us, size_bytes)
        lost, out = self._is_lost(), self._is_out(now_us)
        if lost or out:
            return []
        deliveries_us = [self._arrive(sent_us)]
        if self._duplicate_chance.random() < self.duplicate:
            deliveries_us.append(self._arrive(sent_us))
        return sorted(deliveries_us)

    def continue_from(self, earlier: "Impairment") -> None:
        """Take over a line that `earlier` governed until now, so that order is still kept."""
        self._line_free_us = earlier._line_free_us
        self._last_delivery_us = earlier._last_delivery_us

    def _leave_the_sender(self, now_us: int, size_bytes: int) -> float:
        if self.rate_mbit is None:
            return now_us
        self._line_free_us = max(now_us, self._line_free_us) + size_bytes * 8 / self.rate_mbit
        return self._line_free_us

    def _is_lost(self) -> bool:
        """Step the Gilbert chain: stationary loss `loss`, mean burst `burst_loss_length`."""
        lost = self._losing
        # Independent loss already makes bursts of 1 / (1 - loss) on average.
        recover = min(1 / self.burst_loss_length, 1 - self.loss)
        fail = self.loss * recover / (1 - self.loss) if self.loss < 1 else 1.0
        chance = self._loss_chance.random()
        self._losing = chance >= recover if lost else chance < fail
        return lost

    def _is_out(self, now_us: int) -> bool:
        """Whether the line is cut now; of an outage all lengths are equally likely."""
        if not self.outage:
            return False
        longest_us = self.outage_ms * 1_000
        more_us = longest_us * ((1 - self.outage) / self.outage / 2 - 1)
        begin_us, end_us = self._outage_us or (0.0, float(now_us))
        while end_us <= now_us:
            begin_us = end_us + longest_us + self._outage_chance.expovariate(1 / more_us)
            end_us = begin_us + self._outage_chance.uniform(0, longest_us)
        self._outage_us = begin_us, end_us
        return begin_us <= now_us

    def _arrive(self, sent_us: float) -> int:
        jitter_ms = self._jitter_chance.uniform(-self.jitter_ms, self.jitter_ms)
        delivery_us = round(sent_us + max(0.0, self.delay_ms + jitter_ms) * 1000)
        if not self.reorder:
            delivery_us = max(delivery_us, self._last_delivery_us)
        self._last_delivery_us = max(delivery_us, self._last_delivery_us)
        return delivery_us
