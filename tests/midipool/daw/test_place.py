"""Places that a command can name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.daw.place import OLDEST_SINCE_US, place_of, place_on_the_way
from midipool.meter import BEAT, MAX_BAR, Meter, Position

from ..strategies import meters


def test_a_sixteenth_is_on_its_count() -> None:
    place = place_of(Meter(), 17 * BEAT + BEAT // 2)
    assert place == (Position(5, 2), 17 * BEAT)


def test_past_the_last_bar_there_is_none() -> None:
    assert place_of(Meter(), MAX_BAR * 4 * BEAT) is None
    assert place_on_the_way(Meter(), MAX_BAR * 4 * BEAT, 0, 120, 0) is None


@given(meters, st.integers(0, 10**10), st.floats(20, 999), st.integers(0, 6_000_000))
def test_a_song_that_was_at_the_count_then_is_where_the_daw_is(
    meter: Meter, beats: int, bpm: float, ago_us: int
) -> None:
    found = place_on_the_way(meter, beats, 0, bpm, ago_us)
    assert found is not None
    place, since_us = found
    assert meter.beats_of(place.position) == place.beats
    assert place.beats - since_us * bpm / 60 == pytest.approx(beats, abs=bpm)
    assert ago_us - since_us <= OLDEST_SINCE_US + 1
    # The count that it came by last, unless that is too long ago.
    came_by = since_us <= 0 and beats - place.beats < meter.count_beats
    before_us = since_us - meter.count_beats * 60 / bpm
    assert came_by or ago_us - before_us >= OLDEST_SINCE_US - 1


def test_a_count_of_many_seconds_is_told_when_it_comes() -> None:
    # 7.5 s into a count of 10 s: 7.5 s ago is too long ago, so it is 2.5 s ahead.
    place = place_on_the_way(Meter(2, 1), 3 * BEAT, 0, 24, 0)
    assert place == ((Position(1, 2), 4 * BEAT), 2_500_000)
