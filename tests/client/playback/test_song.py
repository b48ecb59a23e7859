"""The bars of a recording are where its tempo map has them."""

import pytest

from midipool.errors import InvalidValue
from midipool.meter import Loop
from midipool.timeline import Ramp, Timeline
from tests.client.playback.takes import BAR_US, SEVEN_EIGHT, manifest, room, song


def test_bars_of_one_tempo() -> None:
    made = song(9.0)
    assert made.bars_us == (0, BAR_US, 2 * BAR_US, 3 * BAR_US, 4 * BAR_US)
    assert [made.bar_at(at) for at in (0, BAR_US - 2_000, BAR_US, 8_900_000)] == [1, 1, 2, 5]
    assert made.bar_from(BAR_US + 1_000_000) == 2 * BAR_US
    assert made.bar_from(8_500_000) == made.length_us


def test_a_length_of_whole_bars_has_no_bar_behind_it() -> None:
    assert song(8.0).bars == 4


def test_bars_follow_changes_of_tempo_and_meter() -> None:
    first = Timeline(playing=True)
    second = Timeline(origin_time_us=4_000_000, origin_beats=8_000_000, playing=True, mbpm=240_000)
    third = Timeline(
        origin_time_us=6_000_000,
        origin_beats=14_000_000,
        playing=True,
        mbpm=60_000,
        meter=SEVEN_EIGHT,
    )
    made = song(14.0, first, second, third)
    assert made.bars_us == pytest.approx(
        (0, 2_000_000, 4_000_000, 5_000_000, 6_000_000, 9_500_000, 13_000_000), abs=2
    )
    assert made.tempo_at(5_000_000) == (240_000, first.meter)
    assert not made.steady


def test_a_recording_of_before_timelines_were_kept_has_its_first_tempo() -> None:
    made = song(9.0)
    assert made.steady
    assert made.tempo_at(7_000_000)[0] == 120_000


@pytest.mark.parametrize(
    ("timeline", "words"),
    [
        (Timeline(playing=True), ""),
        (Timeline(playing=True, mbpm=121_000), "recorded at 120 BPM, 4/4, and the room is at 121"),
        (Timeline(playing=True, meter=SEVEN_EIGHT), "room is at 120 BPM, 7/8"),
        (Timeline(playing=True, ramp=Ramp(240_000, 64_000_000)), "its own speed, which changes"),
    ],
)
def test_says_whether_it_goes_with_the_room(timeline: Timeline, words: str) -> None:
    said = song().beside(room(timeline).at(0), 0, 0)
    assert words in said
    assert bool(said) == bool(words)


def test_refuses_bars_that_are_not_there() -> None:
    made = song(9.0)
    with pytest.raises(InvalidValue, match="bar: the recording has the bars 1 to 5, not 6"):
        made.start_of(6)
    with pytest.raises(InvalidValue, match="loop"):
        made.loop_us(Loop(4, 9))
    assert made.loop_us(Loop(4, 6)) == (3 * BAR_US, 5 * BAR_US)
    assert song(8.0).loop_us(Loop(4, 5)) == (3 * BAR_US, 4 * BAR_US)
    with pytest.raises(InvalidValue, match="empty"):
        song(0.0)
    assert manifest().timelines == []
