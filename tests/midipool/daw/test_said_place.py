"""Where a song is, whatever the DAW counts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.daw.control import MmcLocate, SongPosition
from midipool.daw.mmc import FrameRate
from midipool.daw.said_place import Placed, SaidPlaces

MS = 1_000
BAR_5_TICKS, BAR_5_COUNT = 384, 64


def locate(seconds: float, time_us: int = 0) -> MmcLocate:
    return MmcLocate(time_us, Fraction(seconds), FrameRate.FPS_30)


def tick(places: SaidPlaces, event: SongPosition | MmcLocate, bpm: float = 120) -> int:
    return places.read(event, bpm, own_bpm=True).tick


def test_a_position_counts_sixteenths() -> None:
    assert SaidPlaces().read(SongPosition(7, 64), 120, own_bpm=True) == Placed(7, BAR_5_TICKS)


def test_seconds_are_a_place_by_the_tempo() -> None:
    assert tick(SaidPlaces(), locate(8)) == BAR_5_TICKS
    assert tick(SaidPlaces(), locate(8), bpm=60) == BAR_5_TICKS / 2


@pytest.mark.parametrize("first", ["locate", "position"])
def test_a_daw_that_counts_clocks_is_told_by_a_locate_to_the_same_place(first: str) -> None:
    places = SaidPlaces()
    said, located = SongPosition(30 * MS, BAR_5_TICKS), locate(8, 30 * MS)
    pair = (located, said) if first == "locate" else (said, located)
    assert [tick(places, event) for event in pair][-1] == BAR_5_TICKS
    # And is known for it from then on.
    assert tick(places, SongPosition(9_000 * MS, 768)) == 768


def test_a_locate_may_be_long_before_the_song_plays_from_there() -> None:
    places = SaidPlaces()
    places.read(locate(8), 120, own_bpm=True)
    assert tick(places, SongPosition(3_000 * MS, BAR_5_TICKS)) == BAR_5_TICKS


def test_a_locate_from_which_the_song_played_on_says_nothing_of_a_later_position() -> None:
    places = SaidPlaces()
    places.read(locate(8), 120, own_bpm=True)
    places.went_on()
    assert tick(places, SongPosition(3_000 * MS, BAR_5_TICKS)) == 6 * BAR_5_TICKS


@pytest.mark.parametrize("bpm", [70, 120, 200])
def test_the_tempo_need_only_be_about_right_if_it_is_not_the_daws(bpm: float) -> None:
    places = SaidPlaces()
    places.read(locate(8), bpm, own_bpm=False)
    assert places.read(SongPosition(0, BAR_5_TICKS), bpm, own_bpm=False).tick == BAR_5_TICKS
    places.read(locate(8), bpm, own_bpm=False)
    assert places.read(SongPosition(0, BAR_5_COUNT), bpm, own_bpm=False).tick == BAR_5_TICKS


def test_two_places_that_have_nothing_to_do_with_each_other_change_nothing() -> None:
    places = SaidPlaces()
    places.read(locate(8), 120, own_bpm=True)
    assert tick(places, SongPosition(0, 300)) == 1_800


@given(st.floats(40, 250), st.integers(4, 400), st.booleans())
def test_a_daw_that_says_both_right_is_never_taken_for_one_that_counts_clocks(
    bpm: float, bar: int, position_first: bool
) -> None:
    places, count = SaidPlaces(), 16 * bar
    events: list[SongPosition | MmcLocate]
    events = [locate(count * 15 / bpm), SongPosition(0, count)]
    for event in reversed(events) if position_first else events:
        assert tick(places, event, bpm) == pytest.approx(6 * count, abs=3)
    assert tick(places, SongPosition(9_000 * MS, 4)) == 24


def test_the_player_may_say_what_it_counts() -> None:
    assert tick(SaidPlaces("clocks"), SongPosition(0, BAR_5_TICKS)) == BAR_5_TICKS
    right = SaidPlaces("sixteenths")
    tick(right, locate(8))
    assert tick(right, SongPosition(0, BAR_5_TICKS)) == 6 * BAR_5_TICKS


def test_near_the_beginning_nothing_is_concluded() -> None:
    places = SaidPlaces()
    tick(places, locate(0.5))
    assert tick(places, SongPosition(0, 24)) == 144
