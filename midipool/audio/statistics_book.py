"""The statistics of all who hear one another, within a bound. Pure."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence

import msgspec

from midipool.audio.statistics import Cell, Level, Series
from midipool.errors import InvalidValue
from midipool.messages import Hearing

MOST_PAIRS = 512
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US

OWN_LEVELS = (Level(1_000_000, 300), Level(MINUTE_US, 360), Level(HOUR_US, 168))
"""A player's, of those whom it hears: five minutes, six hours, a week."""
ROOM_LEVELS = (Level(10_000_000, 30), Level(MINUTE_US, 120), Level(HOUR_US, 48))
"""A room's, of all pairs: five minutes, two hours, two days."""


class PairStatistics(msgspec.Struct, frozen=True):
    """How one hears another."""

    listener: str
    member: str
    total: Cell
    cells: list[Cell]


class StatisticsBook:
    """By (listener, member). Who was not reported for longest goes when there are too many."""

    def __init__(self, levels: Sequence[Level], most: int = MOST_PAIRS) -> None:
        self.levels = levels
        self._most = most
        self._pairs: OrderedDict[tuple[str, str], Series] = OrderedDict()
        self.left_out = 0
        """Pairs that had to go."""

    def take(self, now_us: int, listener: str, hearing: Hearing) -> None:
        """How `listener` hears one other, as it says."""
        if hearing.counts is None:
            return
        pair = (listener, hearing.member)
        series = self._pairs.get(pair)
        if series is None:
            series = self._pairs[pair] = Series(self.levels)
            if len(self._pairs) > self._most:
                self._pairs.popitem(last=False)
                self.left_out += 1
        self._pairs.move_to_end(pair)
        series.take(now_us, hearing.counts, hearing.latency_ms, hearing.jitter_ms)

    def forget(self) -> None:
        """That was another room."""
        self._pairs.clear()
        self.left_out = 0

    def level_of(self, cell_s: float | None) -> int:
        """Which level has cells of this length, the middle one for None; raises InvalidValue."""
        lengths = [level.cell_us / 1e6 for level in self.levels]
        if cell_s is None:
            return 1
        if cell_s not in lengths:
            rule = f"must be {', '.join(f'{s:g}' for s in lengths[:-1])} or {lengths[-1]:g}"
            raise InvalidValue("cell_s", rule)
        return lengths.index(cell_s)

    def pairs(self, level: int, now_us: int, unix_us: int = 0) -> Iterator[PairStatistics]:
        """By name; one at a time, since all together may be much."""
        for (listener, member), series in sorted(self._pairs.items(), key=lambda item: item[0]):
            total = series.total(now_us, unix_us)
            if total is not None:
                cells = list(series.cells(level, unix_us))
                yield PairStatistics(listener, member, total, cells)

    def rows(self, level: int) -> Iterator[tuple[str, Cell]]:
        """All cells of all that are heard: (member, cell)."""
        for (_, member), series in self._pairs.items():
            for cell in series.cells(level):
                yield member, cell
