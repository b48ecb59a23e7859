"""Leads JACK's transport as a DAW would: bar, beat and tempo of where it stands, and its moves."""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import jack

BEATS_A_BAR = 4
TICKS_A_BEAT = 1920
BAR_AND_BEAT_VALID = 0x10  # JackPositionBBT


@dataclass(frozen=True, slots=True)
class Pace:
    """A tempo from a place on: `beat` quarter notes at `frame`, `bpm` from there."""

    frame: int = 0
    beat: float = 0.0
    bpm: float = 120.0

    def beat_at(self, frame: int, sample_rate: int) -> float:
        """The beat, counted from 0, at a frame of the transport."""
        return max(self.beat + (frame - self.frame) * self.bpm / (60 * sample_rate), 0.0)

    def frame_at(self, beat: float, sample_rate: int) -> int:
        """The frame of the transport at which `beat` is."""
        return round(self.frame + (beat - self.beat) * 60 * sample_rate / self.bpm)


class Conductor:
    """A JACK client; with `timebase` the one that says which bar and tempo it is."""

    def __init__(self, timebase: bool = True) -> None:
        self._client: Any = jack.Client("conductor", no_start_server=True)
        self._rate = int(self._client.samplerate)
        self._pace = Pace()
        if timebase:
            self._client.set_timebase_callback(self._say_where)

    def _say_where(self, state: int, frames: int, place: Any, is_new: bool) -> None:
        pace = self._pace
        # Rounded to a tick first: a hair before the bar line is on it.
        beat, tick = divmod(
            round(pace.beat_at(place.frame, self._rate) * TICKS_A_BEAT), TICKS_A_BEAT
        )
        bar, in_bar = divmod(beat, BEATS_A_BAR)
        place.valid = BAR_AND_BEAT_VALID
        place.bar = bar + 1
        place.beat = in_bar + 1
        place.tick = tick
        place.bar_start_tick = bar * BEATS_A_BAR * TICKS_A_BEAT
        place.beats_per_bar = BEATS_A_BAR
        place.beat_type = 4
        place.ticks_per_beat = TICKS_A_BEAT
        place.beats_per_minute = pace.bpm

    def start(self) -> None:
        """Roll, from where it stands."""
        self._client.transport_start()

    def stop(self) -> None:
        """Stop, and stay there."""
        self._client.transport_stop()

    def locate(self, bar: int) -> None:
        """Go to a bar, counted from 1, rolling or not."""
        beat = (bar - 1) * BEATS_A_BAR
        self._client.transport_locate(self._pace.frame_at(beat, self._rate))

    def tempo(self, bpm: float) -> None:
        """Another tempo from here on."""
        frame = self._client.transport_frame
        self._pace = Pace(frame, self._pace.beat_at(frame, self._rate), bpm)

    def __enter__(self) -> Self:
        self._client.activate()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.deactivate()
        self._client.close()
