"""The last ticks of a train, and lines through any stretch of them.

Trying a stretch costs the same for any window, because sums from the first tick on are kept.
"""

from itertools import accumulate

from midipool.daw.line_fit import NOTHING, Line, Sums, line_through, minus, plus
from midipool.meter import CLOCKS_PER_BEAT

WINDOW_TICKS = 32 * CLOCKS_PER_BEAT


class TickWindow:
    """Numbered ticks with weights (0 is left out), 32 beats of them at most.

    Numbers and times count from the window's first tick, so that sums stay small.
    """

    def __init__(self) -> None:
        self.origin_us = 0
        self.numbers: list[int] = []
        self.times: list[int] = []
        self.weights: list[int] = []
        self._sums = [NOTHING]

    def __len__(self) -> int:
        return len(self.numbers)

    def add(self, time_us: int, weight: int) -> None:
        """The next tick."""
        if not self.numbers:
            self.origin_us = time_us
        number = self.numbers[-1] + 1 if self.numbers else 0
        tick = number, time_us - self.origin_us, weight
        for column, value in zip((self.numbers, self.times, self.weights), tick, strict=True):
            column.append(value)
        self._sums.append(plus(self._sums[-1], tick))
        if len(self) > WINDOW_TICKS + CLOCKS_PER_BEAT:
            self.cut(len(self) - WINDOW_TICKS)

    def weigh(self, index: int, weights: list[int]) -> None:
        """Give the ticks from `index` on other weights."""
        self.weights[index:] = weights
        self._sum_up(index)

    def move(self, index: int, by_us: int) -> None:
        """Move the ticks before `index` in time."""
        self.times[:index] = [time_us + by_us for time_us in self.times[:index]]
        self._sum_up(0)

    def cut(self, index: int) -> None:
        """Forget the ticks before `index`."""
        first, begin_us = self.numbers[index], self.times[index]
        self.origin_us += begin_us
        self.numbers = [number - first for number in self.numbers[index:]]
        self.times = [time_us - begin_us for time_us in self.times[index:]]
        del self.weights[:index]
        self._sum_up(0)

    def begin_at(self, index: int, time_us: int, weight: int) -> None:
        """Forget the ticks before `index`; that one was at `time_us`, and counts `weight` times."""
        self.times[index] = time_us
        self.weights[index] = weight
        self.cut(index)

    def between(self, begin: int, end: int) -> Sums:
        """The sums over ticks `begin` to before `end`."""
        return minus(self._sums[end], self._sums[begin])

    def line(self, begin: int, end: int) -> Line | None:
        """The line through ticks `begin` to before `end`; None through fewer than two."""
        return line_through(self.between(begin, end))

    def _sum_up(self, index: int) -> None:
        columns = self.numbers[index:], self.times[index:], self.weights[index:]
        begin = self._sums[index]
        self._sums[index:] = accumulate(zip(*columns, strict=True), plus, initial=begin)
