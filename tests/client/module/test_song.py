"""A module finds the song's beats where the room has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from midipool.meter import BEAT, Loop, Meter
from midipool.timeline import Ramp, Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.module.song import GridLine, Song

SECOND = 1_000_000
STOPPED = Timeline(origin_beats=6 * BEAT)
PLAYING = Timeline(origin_time_us=10 * SECOND, origin_beats=6 * BEAT, playing=True, mbpm=120_000)


def song(*timelines: Timeline) -> Song:
    return Song(TimelineChain(timelines))


def test_a_song_that_begins_later_stands_until_then() -> None:
    room = song(STOPPED, PLAYING)
    assert (room.playing_at(9 * SECOND), room.beats_at(9 * SECOND)) == (False, 6.0)
    assert (room.playing_at(11 * SECOND), room.beats_at(11 * SECOND)) == (True, 8.0)
    assert song(PLAYING).beats_at(9 * SECOND) == 6.0
    assert room.position_at(11 * SECOND) == (3, 1)
    assert room.tempo_at(11 * SECOND) == 120.0
    assert room.meter_at(0) == Meter(4, 4)


@given(
    mbpm=st.integers(20_000, 999_000),
    ramp=st.one_of(st.none(), st.integers(20_000, 999_000)),
    step=st.sampled_from([1 / 8, 1 / 4, 1 / 3, 1.0, 1.5]),
    cuts=st.lists(st.integers(1, 300_000), min_size=1, max_size=40),
)
def test_blocks_share_out_the_grid_without_loss_or_doubling(
    mbpm: int, ramp: int | None, step: float, cuts: list[int]
) -> None:
    timeline = Timeline(
        origin_time_us=SECOND,
        origin_beats=3 * BEAT,
        playing=True,
        mbpm=mbpm,
        ramp=None if ramp is None else Ramp(ramp, 64 * BEAT),
    )
    room, at = song(timeline), SECOND - 100_000
    found: list[GridLine] = []
    for cut in cuts:
        found += room.grid(at, at + cut, step)
        at += cut
    assert [*room.grid(SECOND - 100_000, at, step)] == found
    for line in found:
        assert line.time_us == timeline.time_at(round(line.beats * BEAT))
        assert abs(line.beats / step - round(line.beats / step)) < 1e-4
    numbers = [round(line.beats / step) for line in found]
    assert numbers == [*range(numbers[0], numbers[0] + len(numbers))] if numbers else True


def test_the_grid_follows_a_loop_and_a_new_tempo_and_ends_with_the_song() -> None:
    looped = Timeline(playing=True, mbpm=240_000, loop=Loop(1, 2))
    faster = Timeline(origin_time_us=2 * SECOND, playing=True, mbpm=480_000, revision=1)
    over = Timeline(origin_time_us=3 * SECOND, revision=2)
    lines = [*song(looped, faster, over).grid(0, 10 * SECOND)]
    assert [line.beats for line in lines[:10]] == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert len(lines) == 8 + 8
    assert lines[-1].time_us == 3 * SECOND - 125_000


def test_when_the_song_comes_to_a_beat() -> None:
    room = song(STOPPED, PLAYING)
    assert room.time_at(8.0, 0) == 11 * SECOND
    assert room.time_at(8.0, 11 * SECOND) == 11 * SECOND
    assert room.time_at(7.0, 12 * SECOND) is None
    assert song(STOPPED).time_at(7.0, 0) is None
    looped = song(Timeline(playing=True, mbpm=240_000, loop=Loop(1, 2)))
    assert looped.time_at(1.0, 3 * SECOND) == 3 * SECOND + 250_000
    assert looped.time_at(5.0, 0) is None


def test_a_grid_that_is_too_fine_is_refused() -> None:
    with pytest.raises(InvalidValue, match="step_beats"):
        [*song(PLAYING).grid(0, SECOND, 0.0)]
