"""Least-squares lines through numbered ticks, from sums that add up and subtract.

Times are µs, and numbers and times are small integers from a near origin: so the sums are exact.
"""

from statistics import median
from typing import NamedTuple


class Sums(NamedTuple):
    """Sums over weighted ticks: of 1, number, time, and their products."""

    ticks: int
    n: int
    t: int
    nn: int
    nt: int
    tt: int


class Line(NamedTuple):
    """A least-squares line through ticks; `spread` is the sum of squared number deviations."""

    ticks: int
    mean_n: float
    mean_t: float
    slope: float
    spread: float
    misfit: float
    """The sum of the squared distances of the ticks from the line."""

    def at(self, number: float) -> float:
        """The line's time at a number."""
        return self.mean_t + self.slope * (number - self.mean_n)


NOTHING = Sums(0, 0, 0, 0, 0, 0)


def plus(sums: Sums, tick: tuple[int, int, int]) -> Sums:
    """The sums with one more tick: its number, time and weight."""
    n, t, weight = tick
    wn, wt = weight * n, weight * t
    ticks, all_n, all_t, nn, nt, tt = sums
    return Sums(ticks + weight, all_n + wn, all_t + wt, nn + wn * n, nt + wn * t, tt + wt * t)


def minus(a: Sums, b: Sums) -> Sums:
    """What `a` has that `b` has not."""
    ticks, n, t, nn, nt, tt = b
    return Sums(a[0] - ticks, a[1] - n, a[2] - t, a[3] - nn, a[4] - nt, a[5] - tt)


def line_through(sums: Sums) -> Line | None:
    """The least-squares line; None through fewer than two ticks."""
    spread = sums.ticks * sums.nn - sums.n * sums.n
    if spread == 0:
        return None
    slope = (sums.ticks * sums.nt - sums.n * sums.t) / spread
    height = (sums.ticks * sums.tt - sums.t * sums.t) / sums.ticks
    misfit = max(height - slope * slope * spread / sums.ticks, 0.0)
    mean_n, mean_t = sums.n / sums.ticks, sums.t / sums.ticks
    return Line(sums.ticks, mean_n, mean_t, slope, spread / sums.ticks, misfit)


def median_line(times: list[int]) -> tuple[float, float]:
    """µs a tick and time of tick 0, of equally weighted ticks of which a quarter may be wrong."""
    half = len(times) // 2
    slope = (
        median(late - soon for soon, late in zip(times[:-half], times[half:], strict=True)) / half
    )
    return slope, median(time_us - slope * n for n, time_us in enumerate(times))
