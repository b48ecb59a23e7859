"""Two parallel lines of unknown slope around the samples of a clock's two directions.

The slope is the drift. Each slope is as likely as the samples are under it, if queueing is
exponential and crystals differ by some 100 ppm. The answer is the mean over all slopes, which errs
less than the likeliest one: on a quiet link only one is left after a second, on a wild one many are
weighed until the samples can tell them apart.
"""

from collections.abc import Callable
from math import exp, sqrt

MAX_DRIFT = 500e-6
ANY_DRIFT = (-MAX_DRIFT, MAX_DRIFT)
USUAL_DRIFT = 100e-6
LEAST_NOISE_NS = 2_000.0
# Even jitter has half as many samples near its floor as exponential jitter of the same mean.
NOISE_MARGIN = 2.0
# Slopes less likely than the likeliest by e^-8 do not count; those in between are weighed in steps.
UNLIKELY, SLOPES = 8.0, 24


class _Edge:
    """One direction's samples, turned so that a line of any slope touches them from below."""

    def __init__(self, points: list[tuple[float, float]]) -> None:
        self._corners = _lower_hull(points)
        self._count = len(points)
        self._sum_x = sum(x for x, _ in points)
        self._sum_y = sum(y for _, y in points)

    def touch(self, slope: float) -> float:
        """Where the line of `slope` that touches the samples from below is at 0."""
        return min([y - slope * x for x, y in self._corners])

    def excess(self, slope: float) -> float:
        """Sum of the samples' heights above that line."""
        return self._sum_y - slope * self._sum_x - self._count * self.touch(slope)

    def noise(self, slope: float) -> float:
        """Mean height above that line."""
        return max(self.excess(slope) / self._count, LEAST_NOISE_NS)


class ClockFit:
    """θ as a line through (0, 0) = (`x_ns`, `y_ns`), from the best samples of each direction.

    Its slope is one of `slopes`, from the least to the most.
    """

    def __init__(
        self,
        ups: list[tuple[int, int]],
        downs: list[tuple[int, int]],
        slopes: tuple[float, float] = ANY_DRIFT,
    ) -> None:
        self._slopes = slopes
        self._x_ns, self._y_ns = ups[-1]
        self._up = _Edge([(float(x - self._x_ns), float(y - self._y_ns)) for x, y in ups])
        self._down = _Edge([(float(x - self._x_ns), float(self._y_ns - y)) for x, y in downs])
        self._noises = 0.0, 0.0
        self.noise_ns = 0.0
        self.drift_spread = 0.0
        """How far the drifts that are likely lie from their mean."""

    def estimate(self, likeliest: float, at_ns: int) -> tuple[float, int, float]:
        """Mean drift, offset at `at_ns`, and its error bound; `likeliest` is a first guess."""
        likeliest = self._likeliest(likeliest)
        least = self._unlikely(likeliest)
        low = likeliest - self._reach(likeliest, -1)
        step = (likeliest + self._reach(likeliest, 1) - low) / SLOPES
        elapsed = at_ns - self._x_ns
        total = drift = drifts = offset = square = gap = 0.0
        for number in range(SLOPES):
            slope = low + step * (number + 0.5)
            weight = exp(least - self._unlikely(slope))
            up, down = self._up.touch(slope), self._down.touch(-slope)
            middle = (up - down) / 2 + slope * elapsed
            total += weight
            drift += weight * slope
            drifts += weight * slope * slope
            offset += weight * middle
            square += weight * middle * middle
            gap += weight * (up + down)
        drift, offset = drift / total, offset / total
        self.drift_spread = sqrt(max(drifts / total - drift * drift, 0.0))
        spread = sqrt(max(square / total - offset * offset, 0.0))
        bound = max(gap / total, 0.0) / 2 + 2 * spread
        return drift, self._y_ns + round(offset), bound

    def _likeliest(self, slope: float) -> float:
        """The slope that explains the samples best, with the noise that is left under it."""
        for _ in range(3):
            self._noises = self._up.noise(slope), self._down.noise(-slope)
            self.noise_ns = sum(self._noises) / 2
            slope = _minimum(self._unlikely, *self._slopes)
        return slope

    def _unlikely(self, slope: float) -> float:
        """Minus the logarithm of the likelihood of a slope."""
        up, down = self._noises
        heights = self._up.excess(slope) / up + self._down.excess(-slope) / down
        return heights / NOISE_MARGIN + (slope / USUAL_DRIFT) ** 2 / 2

    def _reach(self, likeliest: float, sign: int) -> float:
        """How far from the likeliest slope another one still counts."""
        limit = self._unlikely(likeliest) + UNLIKELY
        least, most = self._slopes
        near, far = 0.0, most - likeliest if sign > 0 else likeliest - least
        for _ in range(14):
            middle = (near + far) / 2
            if self._unlikely(likeliest + sign * middle) > limit:
                far = middle
            else:
                near = middle
        return far


def _lower_hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points that a line can touch from below."""
    hull: list[tuple[float, float]] = []
    for x, y in sorted(points):
        while len(hull) > 1 and _above(hull[-2], hull[-1], (x, y)):
            hull.pop()
        hull.append((x, y))
    return hull


def _above(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether `b` lies on or above the line from `a` to `c`."""
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])


def _minimum(of: Callable[[float], float], low: float, high: float) -> float:
    """Where a convex function is least, to 0.01 ppm, by golden section."""
    golden = (5**0.5 - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = of(left), of(right)
    while high - low > 1e-8:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = of(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = of(right)
    return (low + high) / 2
