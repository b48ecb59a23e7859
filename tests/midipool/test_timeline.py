"""The timeline's equations."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from midipool.meter import BEAT, Loop, Meter
from midipool.timeline import Ramp, Timeline

from .strategies import mbpms, meters, timelines

elapsed = st.integers(0, 10**9)
ahead = st.integers(0, 10**10)


@given(timelines(), ahead)
def test_time_at_is_the_first_microsecond_of_a_beat(timeline: Timeline, ahead: int) -> None:
    beats = timeline.origin_beats + ahead
    time_us = timeline.time_at(beats)
    assert timeline.beats_at(time_us) >= beats
    assert timeline.beats_at(time_us - 1) < beats


@given(timelines(), elapsed)
def test_a_time_is_never_before_its_own_beat(timeline: Timeline, elapsed_us: int) -> None:
    time_us = timeline.origin_time_us + elapsed_us
    assert timeline.time_at(timeline.beats_at(time_us)) <= time_us


@given(timelines(), ahead)
def test_before_its_origin_a_timeline_goes_back_evenly(timeline: Timeline, behind: int) -> None:
    beats = timeline.origin_beats - behind
    assert timeline.beats_at(timeline.time_at(beats)) >= beats
    assert timeline.time_at(beats) <= timeline.origin_time_us


@given(timelines(), elapsed)
def test_a_stopped_timeline_stays(timeline: Timeline, elapsed_us: int) -> None:
    stopped = replace(timeline, playing=False)
    assert stopped.beats_at(timeline.origin_time_us + elapsed_us) == timeline.origin_beats


@given(mbpms, mbpms, meters, st.integers(1, 64))
def test_a_ramp_ends_at_its_tempo_on_its_bar(m0: int, m1: int, meter: Meter, bars: int) -> None:
    length = bars * meter.bar_beats
    ramp = Timeline(playing=True, mbpm=m0, ramp=Ramp(m1, length), meter=meter)
    end_us = ramp.time_at(length)
    assert ramp.mbpm_at(end_us) == m1
    assert ramp.position_at(end_us).bar == bars + 1
    assert ramp.ramp_left_at(end_us) is None
    assert ramp.beats_at(end_us) - length <= m1 // 60_000 + 1
    # From there on it is the steady timeline of the new tempo, to the microsecond.
    steady = Timeline(origin_time_us=end_us, origin_beats=length, playing=True, mbpm=m1)
    assert abs(ramp.time_at(length + 100 * BEAT) - steady.time_at(length + 100 * BEAT)) <= 1


@given(timelines(), elapsed, ahead)
def test_what_is_left_of_a_ramp_is_the_same_ramp(
    timeline: Timeline, elapsed_us: int, ahead: int
) -> None:
    at_us = timeline.origin_time_us + elapsed_us
    rest = replace(
        timeline,
        origin_time_us=at_us,
        origin_beats=timeline.beats_at(at_us),
        mbpm=timeline.mbpm_at(at_us),
        ramp=timeline.ramp_left_at(at_us),
    )
    later_us = at_us + 5_000_000
    # Tempo is kept to 0.001 BPM: that may run apart by as much. What a place is rounded by grows as
    # the tempo does along the ramp.
    grows = max(1.0, timeline.mbpm_at(later_us) / timeline.mbpm_at(at_us))
    apart = abs(rest.beats_at(later_us) - timeline.beats_at(later_us))
    assert apart <= 5_000_000 / 60_000 + 2 * grows


@given(timelines(), ahead)
def test_song_beats_stay_in_the_loop_once_they_are_in(timeline: Timeline, ahead: int) -> None:
    beats = timeline.origin_beats + ahead
    song = timeline.song_beats(beats)
    loop = timeline.loop
    if loop is None:
        assert song == beats
        return
    start, end = (timeline.meter.bar_start(bar) for bar in (loop.start_bar, loop.end_bar))
    if timeline.origin_beats >= end or beats < end:
        assert song == beats
    else:
        assert start <= song < end
        assert (beats - song) % (end - start) == 0


@given(timelines(), elapsed)
def test_the_next_bar_line_is_the_first_one(timeline: Timeline, elapsed_us: int) -> None:
    time_us = timeline.origin_time_us + elapsed_us
    line = timeline.next_bar_line(time_us)
    bar = timeline.meter.bar_beats
    assert line % bar == 0
    assert timeline.time_at(line) >= time_us
    earlier = line - bar
    assert earlier < timeline.origin_beats or timeline.time_at(earlier) < time_us


@given(timelines(), st.integers(1, 1_000), st.integers(-3, 3))
def test_so_it_is_around_a_bar_line(timeline: Timeline, bars: int, off_us: int) -> None:
    bar = timeline.meter.bar_beats
    line = timeline.bar_line_from(timeline.origin_beats) + bars * bar
    expected = line if off_us <= 0 else line + bar
    time_us = timeline.time_at(line) + off_us
    assert timeline.next_bar_line(time_us) == expected


def test_positions_count_bars_and_beats_from_one() -> None:
    timeline = Timeline(playing=True, mbpm=60_000, meter=Meter(3, 4))
    where = [str(timeline.position_at(second * 1_000_000)) for second in range(5)]
    assert where == ["1.1", "1.2", "1.3", "2.1", "2.2"]


def test_a_song_that_starts_behind_the_loop_plays_on() -> None:
    timeline = Timeline(origin_beats=16 * BEAT, playing=True, mbpm=240_000, loop=Loop(2, 4))
    assert [timeline.position_at(second * 1_000_000).bar for second in range(3)] == [5, 6, 7]


def test_a_loop_goes_round() -> None:
    timeline = Timeline(playing=True, mbpm=240_000, loop=Loop(2, 4))
    bars = [timeline.position_at(second * 1_000_000).bar for second in range(7)]
    assert bars == [1, 2, 3, 2, 3, 2, 3]


@given(timelines(), st.integers(-(10**12), 10**12), elapsed)
def test_moved_to_another_clock_it_is_the_same(
    timeline: Timeline, shift_us: int, elapsed_us: int
) -> None:
    time_us = timeline.origin_time_us + elapsed_us
    moved = timeline.moved_by(shift_us)
    assert moved.beats_at(time_us + shift_us) == timeline.beats_at(time_us)


@given(timelines(), elapsed)
def test_it_describes_itself(timeline: Timeline, elapsed_us: int) -> None:
    time_us = timeline.origin_time_us + elapsed_us
    told = timeline.describe_at(time_us)
    where = timeline.position_at(time_us)
    assert (told["position"]["bar"], told["position"]["beat"]) == (where.bar, where.beat)
    assert 0 <= told["position"]["song_position"] < 16384
    assert 20 <= told["bpm"] <= 999
