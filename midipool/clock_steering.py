"""A clock that is heard must not jump: from estimates to a map that closes in on them smoothly."""

from midipool.clock_map import ClockMap
from midipool.clock_sync import ClockEstimate

STEP_NS = 5_000_000
SLEW_TIME_NS = 1_000_000_000
MAX_SLEW = 2e-3


class ClockSteering:
    """Turns each estimate into a map that goes on from the last one without a jump.

    Errors are slewed away within about a second, at most 2 ms a second. Only a clock that is
    wrong by more than 5 ms, and by more than the estimate itself may be, is stepped: then waiting
    would hurt more than the jump. A path that changes can fool an estimate for a moment.
    """

    def __init__(self) -> None:
        self.map: ClockMap | None = None
        self.steps = 0

    def update(self, estimate: ClockEstimate, now_ns: int) -> ClockMap:
        """The map from host time `now_ns` on."""
        truth_ns = estimate.room_at(now_ns)
        shown_ns = truth_ns if self.map is None else self.map.room_at(now_ns)
        error_ns = truth_ns - shown_ns
        if abs(error_ns) > max(STEP_NS, estimate.error_bound_ns):
            self.steps += 1
            shown_ns, error_ns = truth_ns, 0
        slew_ns = max(SLEW_TIME_NS, round(abs(error_ns) / MAX_SLEW))
        self.map = ClockMap(
            local_ns=now_ns,
            room_ns=shown_ns,
            slew=estimate.drift + error_ns / slew_ns,
            slew_end_ns=now_ns + slew_ns,
            drift=estimate.drift,
        )
        return self.map

    def shift(self, by_ns: int) -> None:
        """Room time is `by_ns` more from now on: the host slept, or the clock is another one."""
        if self.map is not None:
            m = self.map
            self.map = ClockMap(m.local_ns, m.room_ns + by_ns, m.slew, m.slew_end_ns, m.drift)
