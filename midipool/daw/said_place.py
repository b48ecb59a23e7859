"""Where a DAW says that its song is, in ticks of the song, in spite of what DAWs get wrong.

Song position counts sixteenths (MIDI 1.0, Song Position Pointer); some DAWs count MIDI clocks with
it, which is six times as many. A locate of MMC tells seconds, which the DAW's tempo makes a place.
So a DAW that says both for one place shows which of the two it counts.
"""

from dataclasses import dataclass
from typing import Literal

from midipool.daw.control import MmcLocate, SongPosition
from midipool.daw.mmc import FrameRate
from midipool.meter import CLOCKS_PER_BEAT, CLOCKS_PER_SIXTEENTH

SongPositionUnit = Literal["auto", "sixteenths", "clocks"]
# An F2 and a locate that come within this are of one place.
SAME_MOMENT_US = 50_000
# Places near the beginning look alike, whatever counts them.
LEAST_COUNT, LEAST_SECONDS = 24, 1
# How far seconds may be off a count: if the tempo is the DAW's, and if it is only the room's.
REACH, WIDE_REACH = 1.02, 2.4


@dataclass(frozen=True, slots=True)
class Placed:
    """The song is at `tick`, a 24th of a beat, or will be when it plays."""

    time_us: int
    tick: int


class SaidPlaces:
    """Takes F2 and MMC locates. Until a DAW shows what it counts, its F2 counts sixteenths."""

    def __init__(self, unit: SongPositionUnit = "auto") -> None:
        self.rate = FrameRate.FPS_24
        """What the DAW counts in, as far as MMC does not say so."""
        self._guesses = unit == "auto"
        self._clocks_a_count = 1 if unit == "clocks" else CLOCKS_PER_SIXTEENTH
        self._position: SongPosition | None = None
        """The last F2, until a locate comes."""
        self._locate: MmcLocate | None = None
        """The last locate, until an F2 or the song goes on from there."""

    def read(self, event: SongPosition | MmcLocate, bpm: float, own_bpm: bool) -> Placed:
        """Where the song is by `event`. `bpm` is the DAW's with `own_bpm`, else only the room's."""
        if isinstance(event, SongPosition):
            return self._read_position(event, bpm, own_bpm)
        return self._read_locate(event, bpm, own_bpm)

    def went_on(self) -> None:
        """The song plays: what was said before is no longer where it is."""
        self._locate = None

    def _read_position(self, event: SongPosition, bpm: float, own_bpm: bool) -> Placed:
        if self._locate is not None:
            self._compare(event, self._locate, bpm, own_bpm)
        self._position, self._locate = event, None
        return self._placed(event)

    def _read_locate(self, event: MmcLocate, bpm: float, own_bpm: bool) -> Placed:
        self.rate = event.rate
        said, self._position, self._locate = self._position, None, event
        if said is not None and event.time_us - said.time_us < SAME_MOMENT_US:
            # What F2 counts is exact, and knows of no tempo.
            self._compare(said, event, bpm, own_bpm)
            return self._placed(said)
        sixteenths = round(float(event.seconds) * bpm * 4 / 60)
        return Placed(event.time_us, sixteenths * CLOCKS_PER_SIXTEENTH)

    def _placed(self, event: SongPosition) -> Placed:
        return Placed(event.time_us, event.sixteenths * self._clocks_a_count)

    def _compare(self, said: SongPosition, locate: MmcLocate, bpm: float, own_bpm: bool) -> None:
        count, seconds = said.sixteenths, float(locate.seconds)
        if not self._guesses or count < LEAST_COUNT or seconds < LEAST_SECONDS:
            return
        reach = REACH if own_bpm else WIDE_REACH
        for clocks in (CLOCKS_PER_SIXTEENTH, 1):
            meant_bpm = count * clocks * 60 / CLOCKS_PER_BEAT / seconds
            if 1 / reach <= meant_bpm / bpm <= reach:
                self._clocks_a_count = clocks
                return
