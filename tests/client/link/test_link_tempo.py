"""Link's tempo in whole µs to the beat."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool_client.link.link_tempo import MINUTE_US, beat_us_of, same_tempo, wished_bpm


@given(cents=st.integers(2000, 24_494))
def test_a_tempo_of_two_decimals_survives_links_rounding(cents: int) -> None:
    assert wished_bpm(beat_us_of(cents / 100)) == cents / 100


@given(bpm=st.integers(20, 999), ppm=st.floats(-200, 200))
def test_a_whole_tempo_survives_the_clocks_too(bpm: int, ppm: float) -> None:
    ratio = ppm * 1e-6
    assert wished_bpm(beat_us_of(bpm * (1 + ratio)), ratio) == bpm


@given(beat_us=st.integers(1, 10**9), spread=st.floats(-1, 1))
def test_any_tempo_that_link_may_have_is_one_of_the_rooms(beat_us: int, spread: float) -> None:
    assert 20 <= wished_bpm(beat_us, spread) <= 999


@given(bpm=st.floats(20, 999))
def test_tempi_are_set_to_the_nearest_microsecond(bpm: float) -> None:
    assert abs(beat_us_of(bpm) - MINUTE_US / bpm) <= 0.5


def test_tempi_beyond_links_range_are_its_ends() -> None:
    assert (beat_us_of(1000), beat_us_of(19)) == (60_060, 3_000_000)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [(120, 120.009, True), (120, 120.03, False), (999, 998.9, True), (20, 20.02, False)],
)
def test_tempi_are_the_same_within_rounding_and_crystals(a: float, b: float, same: bool) -> None:
    assert same_tempo(beat_us_of(a), beat_us_of(b)) is same
