"""From the host's clock to room time and back, for one stretch of time.

A map slews at one rate until `slew_end_ns`, then goes on with the measured drift alone, so that
a client that gets no newer one keeps a good clock. `native/src/clock_map.c` is its twin.
"""

from dataclasses import dataclass

# A map that would say so little else, now and then, is not worth a message: clocks are looked at
# many times a second.
ALIKE_NS, LASTS_NS = 2_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class ClockMap:
    """Room time as two straight lines over the host's monotonic clock; rates are fractions."""

    local_ns: int
    room_ns: int
    slew: float = 0.0
    slew_end_ns: int = 0
    drift: float = 0.0

    def room_at(self, local_ns: int) -> int:
        """Room time, in ns, at host time `local_ns`."""
        elapsed = local_ns - self.local_ns
        slewed = self._slewed(elapsed)
        return self.room_ns + elapsed + round(slewed * self.slew + (elapsed - slewed) * self.drift)

    def local_at(self, room_ns: int) -> int:
        """Host time, in ns, at room time `room_ns`."""
        ahead = room_ns - self.room_ns
        span = max(self.slew_end_ns - self.local_ns, 0)
        turn = span + span * self.slew
        if span == 0 or ahead > turn:
            return self.local_ns + span + round((ahead - turn) / (1 + self.drift))
        return self.local_ns + round(ahead / (1 + self.slew))

    def is_as_good(self, other: "ClockMap", now_ns: int) -> bool:
        """Whether it shows the same as another one, for a second from now on."""
        return all(
            abs(self.room_at(at_ns) - other.room_at(at_ns)) <= ALIKE_NS
            for at_ns in (now_ns, now_ns + LASTS_NS)
        )

    def _slewed(self, elapsed: int) -> int:
        """The part of `elapsed` that lies on the slewing line."""
        span = self.slew_end_ns - self.local_ns
        return min(elapsed, span) if span > 0 else 0
