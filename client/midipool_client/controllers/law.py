"""What a place of a controller means: decibels as on the page's faders, else evenly. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from midipool.audio.strips import LEAST_DB

# (place, dB): the law of the page's faders.
FADER = ((0.0, LEAST_DB), (0.05, -60.0), (0.2, -40.0), (0.4, -20.0), (0.75, 0.0), (1.0, 12.0))


@dataclass(frozen=True, slots=True)
class Law:
    """Places from 0 to 1 and values, by the points of a line that rises, or falls."""

    points: Sequence[tuple[float, float]]
    whole: bool = False
    """Whether values are whole numbers."""

    def value(self, place: float) -> float:
        """Of a place."""
        found = _between(min(max(place, 0.0), 1.0), self.points)
        return round(found) if self.whole else round(found, 1 if self.points is FADER else 3)

    def place(self, value: float) -> float:
        """Of a value; beyond the ends it is an end."""
        flipped = sorted((y, x) for x, y in self.points)
        low, high = flipped[0][0], flipped[-1][0]
        return _between(min(max(value, low), high), flipped)

    @property
    def has_middle(self) -> bool:
        """Whether 0 is in the middle, as of a pan."""
        return self.points[0][1] == -self.points[-1][1] and len(self.points) == 2


def evenly(low: float, high: float, whole: bool) -> Law:
    """From one to the other."""
    return Law(((0.0, low), (1.0, high)), whole)


def _between(x: float, points: Sequence[tuple[float, float]]) -> float:
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return y0 if x1 == x0 else y0 + (x - x0) * (y1 - y0) / (x1 - x0)
    return points[-1][1]
