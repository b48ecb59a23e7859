"""How others were heard over time: seconds thin out into minutes, minutes into hours. Pure.

Each cell of time is closed when the next one begins, and only its figures are kept, packed, in a
ring: so all of it has a bound, however long a session is and whatever is reported.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from midipool.audio.percentiles import Percentiles
from midipool.messages import HeardCounts

SECOND_US = 1_000_000
MOST_COUNT = 2**32 - 1
NOT_HEARD = -1.0


class Level(NamedTuple):
    """Cells of one length."""

    cell_us: int
    kept: int


class Cell(msgspec.Struct, frozen=True):
    """A stretch of time."""

    at_s: float
    """When it began, since 1970."""
    seconds: float
    packets: int
    """Source packets that came in time."""
    lost: int
    """Those that did not, before repair."""
    late: int
    """Of these, came too late."""
    reordered: int
    """Datagrams behind a later one."""
    duplicates: int
    """Datagrams that came once more, also by a second way."""
    loss: float
    """Share of source packets."""
    residual_loss: float
    """Share of the sound that was missing after repair."""
    jitter_ms: float
    """The mean over the time."""
    jitter_max_ms: float
    latency_p50_ms: float | None
    """From capture to ear; null where nothing was heard."""
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    latency_max_ms: float | None


_COUNTS = HeardCounts.__struct_fields__
_PACKED = struct.Struct(f"<q{len(_COUNTS)}I6f")


class _Open:
    """A cell that is filling."""

    __slots__ = ("at_us", "counts", "jitter_max_ms", "jitter_ms", "jitters", "latency")

    def __init__(self, at_us: int) -> None:
        self.at_us = at_us
        self.counts = [0] * len(_COUNTS)
        self.jitter_ms = self.jitter_max_ms = 0.0
        self.jitters = 0
        self.latency = Percentiles()

    def take(self, more: Sequence[int], latency_ms: float | None, jitter_ms: float) -> None:
        for index, count in enumerate(more):
            self.counts[index] = min(self.counts[index] + count, MOST_COUNT)
        if latency_ms is None:
            return
        self.latency.add(latency_ms)
        self.jitters += 1
        self.jitter_ms += (jitter_ms - self.jitter_ms) / self.jitters
        self.jitter_max_ms = max(self.jitter_max_ms, jitter_ms)

    def packed(self) -> bytes:
        heard = [NOT_HEARD] * 4
        if self.latency.total:
            heard = [*self.latency.at((0.5, 0.95, 0.99)), self.latency.most]
        return _PACKED.pack(self.at_us, *self.counts, self.jitter_ms, self.jitter_max_ms, *heard)


class Series:
    """How one is heard by one. Times are µs of any clock that does not jump."""

    __slots__ = ("_last", "_levels", "_opens", "_rings", "_total")

    def __init__(self, levels: Sequence[Level]) -> None:
        self._levels = levels
        self._rings = [bytearray() for _ in levels]
        self._opens: list[_Open | None] = [None] * len(levels)
        self._total: _Open | None = None
        self._last: HeardCounts | None = None

    def take(
        self, now_us: int, counts: HeardCounts, latency_ms: float | None, jitter_ms: float
    ) -> None:
        """What was reported; counts run on, and begin anew with another engine."""
        more = _since(self._last, counts)
        self._last = counts
        if self._total is None:
            self._total = _Open(now_us)
        self._total.take(more, latency_ms, jitter_ms)
        for index, level in enumerate(self._levels):
            self._open(index, level, now_us).take(more, latency_ms, jitter_ms)

    def cells(self, level: int, unix_us: int = 0) -> Iterator[Cell]:
        """In order, the one that is filling last; `unix_us` is 1970's of time 0."""
        for packed in _PACKED.iter_unpack(bytes(self._rings[level])):
            yield _cell(packed, self._levels[level].cell_us, unix_us)
        filling = self._opens[level]
        if filling is not None:
            packed = _PACKED.unpack(filling.packed())
            yield _cell(packed, self._levels[level].cell_us, unix_us)

    def total(self, now_us: int, unix_us: int = 0) -> Cell | None:
        """All of it; None before anything was reported."""
        if self._total is None:
            return None
        length_us = max(now_us - self._total.at_us, 0)
        return _cell(_PACKED.unpack(self._total.packed()), length_us, unix_us)

    def _open(self, index: int, level: Level, now_us: int) -> _Open:
        begin_us = now_us // level.cell_us * level.cell_us
        filling = self._opens[index]
        if filling is None or begin_us > filling.at_us:
            if filling is not None:
                ring = self._rings[index]
                ring += filling.packed()
                del ring[: max(len(ring) - level.kept * _PACKED.size, 0)]
            filling = self._opens[index] = _Open(begin_us)
        return filling


def _since(before: HeardCounts | None, now: HeardCounts) -> list[int]:
    """What came since; who began anew counts from 0, and what was before us is not ours."""
    counts = msgspec.structs.astuple(now)
    if before is None:
        return [0] * len(counts)
    earlier = msgspec.structs.astuple(before)
    if any(new < old for new, old in zip(counts, earlier, strict=True)):
        return list(counts)
    return [new - old for new, old in zip(counts, earlier, strict=True)]


def _cell(packed: tuple[float, ...], length_us: int, unix_us: int) -> Cell:
    at_us, *figures = packed
    counts = dict(zip(_COUNTS, map(int, figures[: len(_COUNTS)]), strict=True))
    jitter_ms, jitter_max_ms, *latency = figures[len(_COUNTS) :]
    heard = [None if ms == NOT_HEARD else round(ms, 2) for ms in latency]
    frames, missing = counts.pop("frames"), counts.pop("missing_frames")
    return Cell(
        (at_us + unix_us) / SECOND_US,
        length_us / SECOND_US,
        **counts,
        loss=_share(counts["lost"], counts["packets"] + counts["lost"]),
        residual_loss=_share(missing, frames),
        jitter_ms=round(jitter_ms, 3),
        jitter_max_ms=round(jitter_max_ms, 3),
        latency_p50_ms=heard[0],
        latency_p95_ms=heard[1],
        latency_p99_ms=heard[2],
        latency_max_ms=heard[3],
    )


def _share(part: int, whole: int) -> float:
    return round(min(part / whole, 1.0), 6) if whole else 0.0
