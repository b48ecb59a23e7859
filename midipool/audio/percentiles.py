"""Percentiles of many numbers in little memory: how many fell between two marks 4 % apart. Pure."""

from collections.abc import Sequence
from math import ceil, log

APART = 1.04
LEAST, MOST = 0.01, 1e6
_LOG = log(APART)


class Percentiles:
    """Right to 2 %; least and most are exact. Sets of numbers can be added to one another."""

    __slots__ = ("_counts", "least", "most", "total")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.total = 0
        self.least = self.most = 0.0

    def add(self, value: float) -> None:
        """One more number, which is not negative."""
        self.least = min(self.least, value) if self.total else value
        self.most = max(self.most, value)
        self.total += 1
        mark = ceil(log(min(max(value, LEAST), MOST)) / _LOG)
        self._counts[mark] = self._counts.get(mark, 0) + 1

    def at(self, shares: Sequence[float]) -> list[float]:
        """What so large shares of the numbers do not exceed; `shares` in rising order, 0 to 1."""
        found: list[float] = []
        seen = 0
        marks = iter(sorted(self._counts.items()))
        mark = None
        for share in shares:
            while self.total and (seen < share * self.total or mark is None):
                mark, count = next(marks)
                seen += count
            middle = 0.0 if mark is None else 2 * APART**mark / (APART + 1)
            found.append(min(max(middle, self.least), self.most))
        return found
