"""Meters, positions and what people type for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from midipool.meter import (
    BEAT,
    MAX_BAR,
    Loop,
    Meter,
    Position,
    parse_meter,
    parse_position,
    song_position,
)

from .strategies import meters


@pytest.mark.parametrize(
    ("meter", "beats"),
    [(Meter(4, 4), 4.0), (Meter(7, 8), 3.5), (Meter(1, 32), 0.125), (Meter(3, 1), 12.0)],
)
def test_a_bar_is_as_long_as_its_counts(meter: Meter, beats: float) -> None:
    assert meter.bar_beats == beats * BEAT


@given(meters, st.data())
def test_a_position_is_where_its_beats_are(meter: Meter, data: st.DataObject) -> None:
    position = Position(
        data.draw(st.integers(1, MAX_BAR)), data.draw(st.integers(1, meter.numerator))
    )
    beats = meter.beats_of(position)
    assert meter.position_at(beats) == position
    assert meter.position_at(beats + meter.count_beats - 1) == position
    assert meter.position_at(beats + meter.count_beats) != position


def test_a_bar_has_no_more_beats_than_its_meter() -> None:
    with pytest.raises(InvalidValue, match="7/8 has the beats 1 to 7") as caught:
        Meter(7, 8).beats_of(Position(1, 8))
    assert caught.value.field == "position"


@given(meters)
def test_a_meter_reads_as_it_is_written(meter: Meter) -> None:
    assert parse_meter(str(meter)) == meter


@pytest.mark.parametrize(
    "text", ["", "4", "4/", "/4", "4/3", "0/4", "65/4", "4/64", "-4/4", "4/4 "]
)
def test_what_is_no_meter_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_meter(text)
    assert caught.value.field == "meter"


@given(st.integers(1, MAX_BAR), st.integers(1, 64))
def test_a_position_reads_as_it_is_written(bar: int, beat: int) -> None:
    assert parse_position(str(Position(bar, beat))) == Position(bar, beat)
    assert parse_position(str(bar)) == Position(bar, 1)


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "1.0", "1.65", "100000", "1.", ".2", "1.2.3", "x", "9" * 5000]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_position(text)
    assert caught.value.field == "position"


@pytest.mark.parametrize(("start", "end"), [(5, 5), (9, 5)])
def test_a_loop_ends_after_it_starts(start: int, end: int) -> None:
    with pytest.raises(InvalidValue, match="must end after it starts"):
        Loop(start, end)


def test_song_position_counts_sixteenths_and_wraps() -> None:
    assert [song_position(n * BEAT // 4) for n in (0, 1, 16383, 16384, 16385)] == [
        0,
        1,
        16383,
        0,
        1,
    ]
    assert song_position(BEAT // 4 - 1) == 0
