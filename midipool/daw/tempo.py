"""Tempo from a train of MIDI clocks: 24 F8 a quarter note (MIDI 1.0, Timing Clock).

A line is fitted to the times of the last ticks, 32 beats at most. What makes it steady and quick
at once is that it is only kept while it fits: `tempo_line` says how.
"""

from dataclasses import dataclass

from midipool.daw.tempo_line import SETTLED_TICKS, TempoLine
from midipool.meter import CLOCKS_PER_BEAT
from midipool.tempo import MAX_BPM, MIN_BPM

US_PER_MINUTE = 60_000_000
# A train ends after half a second, or three ticks of a slow one.
GAP_US, GAP_TICKS = 500_000, 3
TOO_FAST, TOO_SLOW = f"faster than {MAX_BPM:g} BPM", f"slower than {MIN_BPM:g} BPM"
# Twice the highest tempo for so many ticks needs no fit to be too fast, and gets none.
RUSH_TICKS = 4 * CLOCKS_PER_BEAT
RUSH_US = RUSH_TICKS * US_PER_MINUTE // (2 * int(MAX_BPM) * CLOCKS_PER_BEAT)
# The error stated is so many standard deviations.
ERROR_SIGMAS = 3.0
LIMIT_MARGIN = 1.001


@dataclass(frozen=True, slots=True)
class TempoReading:
    """What a train says, as of its newest tick."""

    bpm: float
    settled: bool
    """Two beats were heard: the tempo can be acted upon."""
    ticks: int
    """Ticks of this train; the newest is number `ticks` - 1."""
    tick_time_us: float
    """The time of the newest tick by the fitted line: without its jitter."""
    error_bpm: float
    """`bpm` is off by less, 99 times of 100, unless the tempo changes just now."""
    noise_us: float
    """How far off the line its ticks are, as a standard deviation."""


class TempoEstimator:
    """Hears F8 after F8, says the tempo.

    Times are in µs, on any clock; equal ones, and ones that go back a little, are jitter. The
    tempo is steady to ±0.05 BPM under 1 ms of jitter from 16 beats of one tempo on.
    """

    def __init__(self) -> None:
        self._line = TempoLine()
        self._last_us: int | None = None
        self._ticks = 0
        self._rush_begin_us = 0
        self._rushing = False
        self._lone_ticks = 0
        """Trains in a row that were a single tick."""

    def reset(self) -> None:
        """Forget all; the next tick begins a train."""
        self._last_us = None
        self._begin_train()
        self._lone_ticks = 0

    def tick(self, time_us: int) -> None:
        """An F8 was heard. Costs the same for any window, and next to nothing at absurd rates."""
        if self._last_us is not None and abs(time_us - self._last_us) > self._gap_us():
            self._lone_ticks = self._lone_ticks + 1 if self._ticks == 1 else 0
            self._begin_train()
        self._last_us = time_us
        self._watch_rush(time_us)
        self._ticks += 1
        if not self._rushing:
            self._line.tick(time_us)

    @property
    def reading(self) -> TempoReading | None:
        """The tempo now; None before six ticks, and outside of 20 to 999 BPM."""
        fit = self._line.fit
        if fit is None or self.fault is not None:
            return None
        bpm = _bpm(fit.slope)
        error_bpm = ERROR_SIGMAS * bpm * fit.slope_error / fit.slope
        settled = self._ticks >= SETTLED_TICKS
        return TempoReading(bpm, settled, self._ticks, fit.end_us, error_bpm, fit.noise_us)

    @property
    def fault(self) -> str | None:
        """Why there is no reading although ticks come: the tempo is out of range."""
        fit = self._line.fit
        if self._rushing:
            return TOO_FAST
        if fit is None:
            return TOO_SLOW if self._lone_ticks > 1 else None
        # A tempo at the very limit may be read a little past it.
        if fit.slope <= 0 or _bpm(fit.slope) > MAX_BPM * LIMIT_MARGIN:
            return TOO_FAST
        return TOO_SLOW if _bpm(fit.slope) < MIN_BPM / LIMIT_MARGIN else None

    def stopped(self, now_us: int) -> bool:
        """Whether the train is over, or none has begun."""
        return self._last_us is None or now_us - self._last_us > self._gap_us()

    def _begin_train(self) -> None:
        self._line, self._ticks, self._rushing = TempoLine(), 0, False

    def _gap_us(self) -> float:
        fit = self._line.fit
        # Of a train that is too slow, ticks are 0.5 s apart at most.
        return max(GAP_US, min(GAP_TICKS * fit.slope, 3 * GAP_US) if fit else 0)

    def _watch_rush(self, time_us: int) -> None:
        if self._ticks % RUSH_TICKS == 0:
            rushing = self._ticks > 0 and time_us - self._rush_begin_us < RUSH_US
            if rushing != self._rushing:
                self._begin_train()
                self._rushing = rushing
            self._rush_begin_us = time_us


def _bpm(slope: float) -> float:
    return US_PER_MINUTE / CLOCKS_PER_BEAT / slope
