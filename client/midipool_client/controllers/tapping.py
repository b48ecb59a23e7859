"""Tempo by tapping: the mean of the last gaps; a long pause begins anew. Pure."""

from midipool.tempo import MAX_BPM, MIN_BPM

PAUSE_US = 2_500_000
MOST = 8


class Tapping:
    """Takes the time of each tap."""

    def __init__(self) -> None:
        self._taps_us: list[int] = []

    def tap(self, now_us: int) -> float | None:
        """The tempo so far; None at the first tap."""
        if self._taps_us and not 0 < now_us - self._taps_us[-1] <= PAUSE_US:
            self._taps_us = []
        self._taps_us = [*self._taps_us, now_us][-MOST:]
        if len(self._taps_us) < 2:
            return None
        gap_us = (self._taps_us[-1] - self._taps_us[0]) / (len(self._taps_us) - 1)
        return min(max(round(60e6 / gap_us, 1), MIN_BPM), MAX_BPM)
