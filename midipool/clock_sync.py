"""What the room's clock shows, from probes with four timestamps.

With θ = room clock - host clock, and delays that are never negative, each probe says

    t3 - t4  <=  θ  <=  t2 - t1

The delays of a network have a floor and, above it, queueing that only ever adds. So the samples
that count are the lowest `t2 - t1` and the highest `t3 - t4`, each direction by itself: θ lies
between two lines of one slope (the drift) that touch them. We take the middle, which is right as
far as the two floors are alike, and half of the gap is an error bound that always holds.

How the lines are found, although the slope is not known either, is in clock_fit.py.
"""

from collections import deque
from dataclasses import dataclass, replace

from midipool.clock_fit import ANY_DRIFT, MAX_DRIFT, ClockFit

WINDOW_NS = 60_000_000_000
BUCKET_NS = 250_000_000
LATER_DRIFT_ERROR = 2e-6
# Behind so many buckets a drift is known when none is likely that differs by much more. It is
# believed to change by no more than DRIFT_CHANGE within a window.
KNOWN_BUCKETS, KNOWN_DRIFT, DRIFT_CHANGE = 80, 2e-6, 20e-6
# Of what was measured so far, so much more is worth another fit; and a second is, always.
ANEW_SHARE, ANEW_BUCKETS = 16, 4
# Bounds that cross by more than timestamps can err mean that one of the clocks was set or slept.
JUMP_NS = 500_000


@dataclass(frozen=True, slots=True)
class ProbeSample:
    """One probe: sent (t1) and answered (t4) on the host's clock, t2 and t3 on the room's."""

    t1_ns: int
    t2_ns: int
    t3_ns: int
    t4_ns: int

    @property
    def round_trip_ns(self) -> int:
        """Time on the wire, both ways."""
        return (self.t4_ns - self.t1_ns) - (self.t3_ns - self.t2_ns)


@dataclass(frozen=True, slots=True)
class ClockEstimate:
    """Room clock minus host clock at host time `at_ns`, and how it goes on."""

    at_ns: int
    offset_ns: int
    drift: float
    error_bound_ns: int
    round_trip_ns: int
    jitter_ns: int

    def room_at(self, local_ns: int) -> int:
        """Room time at host time `local_ns`, both in ns."""
        elapsed = local_ns - self.at_ns
        return local_ns + self.offset_ns + round(elapsed * self.drift)


@dataclass(slots=True)
class _Bucket:
    """The best sample of each direction in a quarter of a second, and the least round trip."""

    number: int
    up: tuple[int, int]
    down: tuple[int, int]
    round_trip_ns: int


class ClockSync:
    """Collects probes and says what the room's clock shows. Pure: it reads no clock."""

    def __init__(self) -> None:
        self._buckets: deque[_Bucket] = deque()
        self._drift = 0.0
        self._fitted: tuple[int, ClockEstimate] | None = None
        self._known: ClockEstimate | None = None
        """The last one whose drift was known."""
        self._limits: tuple[tuple[int, int], tuple[int, int]] | None = None
        """The samples that bound θ most, up and down, with the drift as it was fitted last."""
        self._newest_ns = 0
        self.samples = 0
        self.jumps = 0

    def add(self, sample: ProbeSample) -> bool:
        """Take a probe in; False when its timestamps contradict themselves and it is ignored."""
        if sample.t4_ns < sample.t1_ns or sample.t3_ns < sample.t2_ns or sample.round_trip_ns < 0:
            return False
        if self._contradicts(sample):
            self.forget()
            self.jumps += 1
        up = (sample.t1_ns, sample.t2_ns - sample.t1_ns)
        down = (sample.t4_ns, sample.t3_ns - sample.t4_ns)
        if self._fitted is not None and not down[1] <= self._fitted[1].offset_ns <= up[1]:
            self._fitted = None
        self._narrow(up, down)
        number = sample.t4_ns // BUCKET_NS
        if not self._buckets or number > self._buckets[-1].number:
            self._buckets.append(_Bucket(number, up, down, sample.round_trip_ns))
        else:
            bucket = self._buckets[-1]
            bucket.up = min(bucket.up, up, key=_value)
            bucket.down = max(bucket.down, down, key=_value)
            bucket.round_trip_ns = min(bucket.round_trip_ns, sample.round_trip_ns)
        while self._buckets[0].number < (sample.t4_ns - WINDOW_NS) // BUCKET_NS:
            self._buckets.popleft()
        self._newest_ns = max(self._newest_ns, sample.t4_ns)
        self.samples += 1
        return True

    def forget(self) -> None:
        """Start anew: another clock, another path, or a clock that was set."""
        self._buckets.clear()
        self._drift = 0.0
        self._fitted = self._known = self._limits = None
        self.samples = 0

    def estimate(self, now_ns: int) -> ClockEstimate | None:
        """The newest estimate for host time `now_ns`; None before the first probe."""
        if not self._buckets:
            return None
        number, count = self._buckets[-1].number, len(self._buckets)
        # Early on every probe counts; later one changes little, unless it rules the last fit out.
        anew = max(min(count // ANEW_SHARE, ANEW_BUCKETS), 1)
        if self._fitted is None or number - self._fitted[0] >= anew or count < 8:
            self._fitted = number, self._fit(now_ns)
        fitted = self._fitted[1]
        age_ns = max(now_ns - self._newest_ns, 0)
        return replace(
            fitted,
            at_ns=now_ns,
            offset_ns=fitted.offset_ns + round((now_ns - fitted.at_ns) * fitted.drift),
            error_bound_ns=fitted.error_bound_ns + round(age_ns * LATER_DRIFT_ERROR),
        )

    def _fit(self, at_ns: int) -> ClockEstimate:
        slopes = ANY_DRIFT
        if (known := self._known) is not None:
            slopes = known.drift - DRIFT_CHANGE, known.drift + DRIFT_CHANGE
        fit = ClockFit([b.up for b in self._buckets], [b.down for b in self._buckets], slopes)
        self._drift, offset_ns, bound = fit.estimate(self._drift, at_ns)
        drift = self._drift
        self._limits = (
            min((b.up for b in self._buckets), key=lambda point: point[1] - point[0] * drift),
            max((b.down for b in self._buckets), key=lambda point: point[1] - point[0] * drift),
        )
        fresh = ClockEstimate(
            at_ns=at_ns,
            offset_ns=offset_ns,
            drift=self._drift,
            error_bound_ns=round(bound),
            round_trip_ns=min(b.round_trip_ns for b in self._buckets),
            jitter_ns=round(fit.noise_ns),
        )
        estimate = fresh if self._known is None else _believed(self._known, fresh)
        drift_is_known = len(self._buckets) >= KNOWN_BUCKETS and fit.drift_spread < KNOWN_DRIFT
        if estimate is not fresh or drift_is_known:
            self._known = estimate
        return estimate

    def _contradicts(self, sample: ProbeSample) -> bool:
        if self._limits is None:
            return False
        upper = _along(self._limits[0], self._drift, sample.t4_ns)
        lower = _along(self._limits[1], self._drift, sample.t1_ns)
        margin_ns = JUMP_NS + (sample.t4_ns - self._newest_ns) * MAX_DRIFT
        below = sample.t2_ns - sample.t1_ns < lower - margin_ns
        above = sample.t3_ns - sample.t4_ns > upper + margin_ns
        return below or above

    def _narrow(self, up: tuple[int, int], down: tuple[int, int]) -> None:
        if self._limits is None:
            self._limits = up, down
            return
        upper, lower = self._limits
        self._limits = (
            up if up[1] < _along(upper, self._drift, up[0]) else upper,
            down if down[1] > _along(lower, self._drift, down[0]) else lower,
        )


def _believed(known: ClockEstimate, fresh: ClockEstimate) -> ClockEstimate:
    """A fit, by what was known before it.

    When the network has become slower, the samples from before leave the window one by one, and
    the last of them hold the lines at their far ends alone: the fit tilts, and then knows little.
    What was known before is still true, but for what the drift may have changed.
    """
    elapsed_ns = fresh.at_ns - known.at_ns
    bound_ns = known.error_bound_ns + round(elapsed_ns * LATER_DRIFT_ERROR)
    expected_ns = known.offset_ns + round(elapsed_ns * known.drift)
    off_ns = fresh.offset_ns - expected_ns
    if fresh.error_bound_ns <= bound_ns or abs(off_ns) > fresh.error_bound_ns + bound_ns:
        return fresh
    held_ns = expected_ns + max(-bound_ns, min(off_ns, bound_ns))
    return replace(fresh, offset_ns=held_ns, drift=known.drift, error_bound_ns=bound_ns)


def _value(point: tuple[int, int]) -> int:
    return point[1]


def _along(point: tuple[int, int], drift: float, at_ns: int) -> float:
    """Where the line of slope `drift` through a point is at `at_ns`."""
    return point[1] + (at_ns - point[0]) * drift
