"""How long a DAW takes: from the ticks that it was sent and what came back from it. Pure.

The DAW follows our clock, and its own clock bytes, or a note on each beat, come back to us. Ticks
lie some 20 ms apart, and a DAW may be later than that by many of them: which tick came back as
which? So the tempo varies while we measure (PATTERN). Only with the right delay do all of what came
back lie on ticks; a delay that is off by a tick of one tempo misses the ticks of another.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp
from statistics import median

from midipool.errors import InvalidValue

PATTERN: tuple[tuple[int, float], ...] = tuple(
    (1, bpm)
    for bpm in (
        *(100.0, 107.0, 114.5, 122.5, 131.0, 140.0, 131.0, 122.5, 114.5),
        *(107.0, 100.0, 93.5, 87.0, 81.5, 76.0, 81.5, 87.0, 93.5),
    )
)
"""(bars of 4/4, BPM), played one after the other: 18 bars, 43 s.

Steps of 7 %, so that a DAW that smooths its tempo keeps up; as many up as down, so that what it
lags behind at a rise is made good by a fall.
"""

SEARCH_US = 500_000
MAX_TICKS = 8192
# At 999 BPM, clocks are 2.5 ms apart.
MIN_TICK_US = 2000
# Two notes of a chord, or of two drums, are one.
CHORD_US = 1000
TICKS_PER_NOTE = (1, 6, 12, 24)
# How many ticks DAWs take to take on a new tempo.
SETTLING_TICKS = (0, 6, 12, 18, 24, 30, 36, 42, 48, 60, 72, 96)
MIN_MATCHES = 12
MIN_SHARE = 0.5
MAX_SPREAD_US = 15_000
# Simulated DAWs of every kind: right answers with 3 ms of jitter have 0.2 and more, wrong ones, of
# DAWs that take more than three beats to settle, at most 0.11.
MIN_CONFIDENCE = 0.12
BIN_US = 500
KERNEL_US = 4000

NOTHING = (
    "nothing came back: connect the DAW's MIDI output to midi_send and let it follow"
    " the clock from midi_receive"
)


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """What came back says; `refused` is empty when an offset can be proposed."""

    matches: int
    """How many of what was sent came back."""
    heard: int
    """How many came back at all."""
    delay_us: int | None = None
    """The median of heard - sent; less than 0 when the DAW looks ahead."""
    spread_us: int | None = None
    """Half of what came back lies so close to the delay, or closer."""
    confidence: float = 0.0
    """0 to 1: how much better this delay explains it than any that is a tick away or more."""
    refused: str = ""
    """Why no offset is proposed, and what to do."""

    @property
    def offset_ms(self) -> float | None:
        """The offset that makes up for the delay, in steps of 0.1 ms; None when refused."""
        if self.refused or self.delay_us is None:
            return None
        return round(-self.delay_us / 100) / 10


class Calibration:
    """One measurement: `sent` are the clock's ticks, `heard` what came back, both in µs.

    Both are times of one clock. The first of `sent` is on a beat. What came back may be clocks, or
    notes on each sixteenth, eighth or quarter note.
    """

    def __init__(self, sent: Sequence[int], heard: Sequence[int]) -> None:
        """Raises InvalidValue when `sent` is no clock: more than 8192 or closer than 2 ms."""
        if len(sent) > MAX_TICKS:
            raise InvalidValue("sent", f"{len(sent)} ticks are more than {MAX_TICKS}")
        if any(later - earlier < MIN_TICK_US for earlier, later in pairwise(sent)):
            raise InvalidValue("sent", f"ticks must be in order and {MIN_TICK_US} µs apart")
        self._sent = sent
        self._too_many = len(heard) > 2 * len(sent) + MIN_MATCHES
        self._heard = [] if self._too_many else _without_chords(sorted(heard))
        self._count = len(heard)

    def result(self) -> CalibrationResult:
        """The delay, or why there is none."""
        if self._count == 0:
            return CalibrationResult(0, 0, refused=NOTHING)
        if self._too_many:
            text = (
                f"too much came back ({self._count} for {len(self._sent)} ticks): let the DAW send "
                "its clock, or one note on each beat, and nothing else"
            )
            return CalibrationResult(0, self._count, refused=text)
        match = max(self._matches(), key=lambda match: match.score, default=None)
        if match is None:
            return CalibrationResult(0, self._count, refused=_too_few(0))
        delay_us = median(match.delays_us)
        spread_us = median(abs(late_us - delay_us) for late_us in match.delays_us)
        return CalibrationResult(
            matches=len(match.delays_us),
            heard=self._count,
            delay_us=round(delay_us),
            spread_us=round(spread_us),
            confidence=round(match.confidence, 3),
            refused=self._refusal(len(match.delays_us), spread_us, match.confidence),
        )

    def _matches(self) -> Iterator["_Match"]:
        """What came back beside what was sent, for DAWs that follow quickly or slowly."""
        ticks_per_note = _ticks_per_note(self._sent, self._heard)
        for settling in SETTLING_TICKS:
            expected = _followed(self._sent, settling)[::ticks_per_note]
            match = _search(expected, self._heard)
            if match is not None and match.delays_us:
                yield match

    def _refusal(self, matches: int, spread_us: float, confidence: float) -> str:
        if matches < MIN_MATCHES:
            return _too_few(matches)
        if matches < MIN_SHARE * len(self._heard):
            return (
                f"only {matches} of {len(self._heard)} events that came back lie on the beat: let "
                "the DAW send its clock, or one note on each beat, and nothing else"
            )
        if spread_us > MAX_SPREAD_US:
            return (
                f"what came back is spread over ±{spread_us / 1000:.0f} ms: let the DAW follow the "
                "clock (external sync), and try a shorter audio buffer"
            )
        if confidence < MIN_CONFIDENCE:
            return (
                "what came back fits more than one delay: let the DAW follow the clock (external "
                "sync), or play a note on each beat instead of sending its clock"
            )
        return ""


def _too_few(matches: int) -> str:
    return (
        f"only {matches} of what was sent came back, {MIN_MATCHES} are needed: let the DAW follow "
        "the clock from the first bar to the last"
    )


def _without_chords(heard: list[int]) -> list[int]:
    kept: list[int] = []
    for time_us in heard:
        if not kept or time_us - kept[-1] >= CHORD_US:
            kept.append(time_us)
    return kept


def _ticks_per_note(sent: Sequence[int], heard: Sequence[int]) -> int:
    """1 when clocks came back, 24 when notes on each beat did; told by how far apart they lie."""
    if len(sent) < 2 or len(heard) < 2:
        return 1
    tick_us = median(later - earlier for earlier, later in pairwise(sent))
    apart_us = median(later - earlier for earlier, later in pairwise(heard))
    return min(TICKS_PER_NOTE, key=lambda ticks: abs(ticks * tick_us - apart_us) / ticks)


@dataclass(frozen=True, slots=True)
class _Match:
    """What came back, put beside what a DAW would play without a delay."""

    score: float
    """How much of it agrees on one delay."""
    confidence: float
    delays_us: list[int]


def _followed(sent: Sequence[int], settling: int) -> list[int]:
    """When a DAW plays the ticks that takes so many of them to settle, critically damped."""
    if settling == 0 or len(sent) < 2:
        return list(sent)
    played_us = float(sent[0])
    period_us = float(sent[1] - sent[0])
    followed = [sent[0]]
    for tick_us in sent[1:]:
        ahead_us = tick_us - played_us - period_us
        played_us += period_us + ahead_us * 2 / settling
        period_us += ahead_us / settling**2
        followed.append(round(played_us))
    return sorted(followed)


def _search(sent: Sequence[int], heard: Sequence[int]) -> _Match | None:
    """The delay that most of what came back agrees on, and how clear that is."""
    counts = [0] * (2 * SEARCH_US // BIN_US + 1)
    for time_us in heard:
        first = bisect_left(sent, time_us - SEARCH_US)
        last = bisect_right(sent, time_us + SEARCH_US)
        for tick_us in sent[first:last]:
            counts[(time_us - tick_us + SEARCH_US) // BIN_US] += 1
    if not any(counts):
        return None
    scores = _smooth(counts)
    best = max(range(len(scores)), key=scores.__getitem__)
    # What is nearer than half of a tick belongs to the same peak.
    way_us = median([later - earlier for earlier, later in pairwise(sent)] or [0])
    apart = max(round(way_us / 2 / BIN_US), 1)
    second = max([*scores[: max(best - apart, 0)], *scores[best + apart + 1 :]], default=0.0)
    delays_us = _matched(sent, heard, best * BIN_US - SEARCH_US + BIN_US // 2)
    return _Match(scores[best], 1 - second / scores[best], delays_us)


def _smooth(counts: list[int]) -> list[float]:
    """Each bin with its neighbours, weighed by how near they are."""
    reach = 3 * KERNEL_US // BIN_US
    weights = [exp(-((n * BIN_US / KERNEL_US) ** 2) / 2) for n in range(-reach, reach + 1)]
    padded = [0] * reach + counts + [0] * reach
    return [
        sum(weight * count for weight, count in zip(weights, padded[at:], strict=False))
        for at in range(len(counts))
    ]


def _matched(sent: Sequence[int], heard: Sequence[int], delay_us: int) -> list[int]:
    """heard - sent of each pair: each tick came back at most once, within half of a tick."""
    nearest: dict[int, int] = {}
    for time_us in heard:
        at = bisect_left(sent, time_us - delay_us)
        around = [n for n in (at - 1, at) if 0 <= n < len(sent)]
        if not around:
            continue
        number = min(around, key=lambda n: abs(time_us - sent[n] - delay_us))
        late_us = time_us - sent[number]
        if abs(late_us - delay_us) > _half_tick(sent, number) or abs(late_us) > SEARCH_US:
            continue
        before_us = nearest.get(number)
        if before_us is None or abs(late_us - delay_us) < abs(before_us - delay_us):
            nearest[number] = late_us
    return list(nearest.values())


def _half_tick(sent: Sequence[int], number: int) -> int:
    """Half of the shorter way to a tick beside it; at the ends, of the only way there is."""
    ways = [later - earlier for earlier, later in pairwise(sent[max(number - 1, 0) : number + 2])]
    return min(ways, default=2 * SEARCH_US) // 2
