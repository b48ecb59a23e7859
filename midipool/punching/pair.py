"""One address of a remote member: how often it was asked, and how it answers."""

from dataclasses import dataclass, field

from midipool.punching.offer import HOST
from midipool.punching.timing import Timing
from midipool.stun import Address

MAX_PENDING = 16
AMPLIFICATION = 3
ROUND_TRIP_SHARE = 8  # a longer round trip counts an eighth, as in TCP
BEHIND_ROUTER_US = 1_000


@dataclass(slots=True)
class Pair:
    """Checks from our one socket to one address."""

    at: Address
    kind: str
    priority: int
    offered: bool
    """Named by the member; else only seen as the source of its checks."""
    received_bytes: int = 0
    sent_bytes: int = 0
    attempts: int = 0
    """Since it last answered, or was begun anew."""
    sent_us: int | None = None
    answered_us: int | None = None
    """When the newest check was sent that has an answer; None: it does not work."""
    round_trip_us: int = 0
    doubts: int = 0
    pending: dict[bytes, int] = field(default_factory=dict)

    @property
    def works(self) -> bool:
        """Whether media can go there."""
        return self.answered_us is not None and self.doubts == 0

    @property
    def cost_us(self) -> int:
        """What paths are compared by: the round trip, a little more through a router."""
        return self.round_trip_us + (0 if self.kind == HOST else BEHIND_ROUTER_US)

    def may_get(self, size: int) -> bool:
        """Whether the address deserves more: one that nobody vouches for gets no flood."""
        if self.offered or self.answered_us is not None:
            return True
        return self.sent_bytes + size <= AMPLIFICATION * self.received_bytes

    def sent(self, transaction: bytes, size: int, now_us: int) -> None:
        """Note a check."""
        while len(self.pending) >= MAX_PENDING:
            del self.pending[next(iter(self.pending))]
        self.pending[transaction] = now_us
        self.sent_us = now_us
        self.sent_bytes += size
        self.attempts += 1

    def answered(self, transaction: bytes, now_us: int) -> bool:
        """Note an answer; False if nothing of the kind was asked."""
        asked_us = self.pending.pop(transaction, None)
        if asked_us is None:
            return False
        measured_us = max(0, now_us - asked_us)
        if self.answered_us is None or measured_us < self.round_trip_us:
            self.round_trip_us = measured_us  # what is more is our waiting, not the way
        else:
            self.round_trip_us += (measured_us - self.round_trip_us) // ROUND_TRIP_SHARE
        self.answered_us = max(asked_us, self.answered_us or 0)
        self.attempts = 0
        self.doubts = max(0, self.doubts - 1)
        return True

    def begin_anew(self) -> None:
        """Ask at once, as if never asked."""
        self.attempts = 0
        self.sent_us = None

    def forget(self) -> None:
        """It does not work any more, as far as we know."""
        self.answered_us = None
        self.doubts = 0
        self.pending.clear()
        self.begin_anew()

    def due_us(self, timing: Timing, in_use: bool, now_us: int) -> int | None:
        """When to check next; None once it was asked often enough."""
        if self.sent_us is None:
            return now_us
        if self.answered_us is None:
            if self.attempts > len(timing.retransmits_us):
                return None
            return self.sent_us + timing.retransmits_us[self.attempts - 1]
        if self.doubts or self.attempts > 1:
            return self.sent_us + timing.hurry_us
        if self.attempts:  # asked and not yet answered
            patience_us = max(timing.hurry_us, 2 * self.round_trip_us)
            return self.sent_us + patience_us
        return self.sent_us + (timing.consent_us if in_use else timing.warm_us)
