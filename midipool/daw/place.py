"""Places of a song that a command can name: a meter's counts. MIDI's are sixteenths, and clocks."""

from math import ceil
from typing import NamedTuple

from midipool.meter import MAX_BAR, Meter, Position

# A room refuses a `since` of more than 5 s ago, and the command has to get there.
OLDEST_SINCE_US = 4_000_000


class Place(NamedTuple):
    """A count of the song and its beat."""

    position: Position
    beats: int


def place_of(meter: Meter, beats: int) -> Place | None:
    """The count that a song beat lies in; None past the last bar."""
    position = meter.position_at(beats)
    return Place(position, meter.beats_of(position)) if position.bar <= MAX_BAR else None


def place_on_the_way(
    meter: Meter, beats: int, since_us: int, bpm: float, now_us: int
) -> tuple[Place, int] | None:
    """The count that a playing song came by last, and when; None past the last bar.

    The song was at `beats` at `since_us`, and plays at `bpm`. If that count is too long ago to be
    told to a room, it is the first one that is not, which may lie ahead.
    """
    count_us = meter.count_beats * 60 / bpm
    passed, rest_beats = divmod(beats, meter.count_beats)
    passed_us = since_us - rest_beats * 60 / bpm
    late = max(ceil((now_us - passed_us - OLDEST_SINCE_US) / count_us), 0)
    place = place_of(meter, (passed + late) * meter.count_beats)
    return None if place is None else (place, round(passed_us + late * count_us))
