"""A DAW's clock bytes as the leader needs them: tempo, and each tick's time without its jitter."""

from dataclasses import replace

from midipool.daw.tempo import TempoEstimator, TempoReading
from midipool.meter import CLOCKS_PER_BEAT

TICK_US_AT_1_BPM = 60_000_000 / CLOCKS_PER_BEAT
# A clock began anew if it is further off than so many times its noise.
ANEW, LEAST_ANEW_US = 4.0, 1_000.0
# A train says something of its tempo from half a beat on, if no ticks of it were held up.
EARLY_TICKS, EARLY_ERROR = CLOCKS_PER_BEAT // 2, 0.015


class DawClock:
    """Hears F8 after F8. `now_us` decides whether the newest is still news."""

    def __init__(self) -> None:
        self._tempo = TempoEstimator()
        self.last_bpm: float | None = None
        """The tempo that was settled last: of this train, or of one before it."""

    def tick(self, time_us: int, begins: bool) -> int:
        """An F8 came; its time without jitter. `begins`: a song starts or goes on with it."""
        self._tempo.tick(time_us)
        reading = self._tempo.reading
        if reading is None:
            return time_us
        # Some machines start their clock anew with the song: then what was before it is void.
        if begins and abs(reading.tick_time_us - time_us) > _anew_us(reading):
            self._tempo.reset()
            self._tempo.tick(time_us)
            return time_us
        if reading.settled:
            self.last_bpm = reading.bpm
        return round(reading.tick_time_us)

    def reading(self, now_us: int) -> TempoReading | None:
        """The tempo; None while nothing comes, or nothing that can be read."""
        return None if self._tempo.stopped(now_us) else self._tempo.reading

    def settled(self, now_us: int) -> TempoReading | None:
        """The tempo, once it can be acted upon."""
        reading = self.reading(now_us)
        return reading if reading is not None and reading.settled else None

    def early(self, now_us: int) -> TempoReading | None:
        """The tempo as it is known from half a beat on: the one of before, if that may be it."""
        reading, bpm = self.reading(now_us), self.last_bpm
        if reading is None or reading.settled:
            return reading
        if reading.ticks < EARLY_TICKS or reading.error_bpm > EARLY_ERROR * reading.bpm:
            return None
        if bpm is None or abs(reading.bpm - bpm) > reading.error_bpm:
            return reading
        # The middle of the ticks is known best.
        half = (reading.ticks - 1) / 2
        middle_us = reading.tick_time_us - half * TICK_US_AT_1_BPM / reading.bpm
        return replace(reading, bpm=bpm, tick_time_us=middle_us + half * TICK_US_AT_1_BPM / bpm)

    def bpm(self, now_us: int) -> float | None:
        """The tempo as far as it is known: else the one that was settled last."""
        reading = self.early(now_us)
        return self.last_bpm if reading is None else reading.bpm

    def fault(self, now_us: int) -> str | None:
        """Why what comes cannot be read."""
        return None if self._tempo.stopped(now_us) else self._tempo.fault


def _anew_us(reading: TempoReading) -> float:
    """How far off its line a tick is that begins a clock anew."""
    quarter_us = TICK_US_AT_1_BPM / reading.bpm / 4
    return min(max(ANEW * reading.noise_us, LEAST_ANEW_US), quarter_us)
