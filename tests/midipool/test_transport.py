"""What commands do to a timeline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from midipool import transport
from midipool.errors import InvalidValue
from midipool.messages import (
    Continue,
    Locate,
    SetLoop,
    SetMeter,
    SetTempo,
    Start,
    Stop,
    TransportCommand,
)
from midipool.meter import BEAT, MAX_BAR, Loop, Meter, Position
from midipool.timeline import Ramp, Timeline

from .strategies import bpms, commands, loops, meters, timelines

elapsed = st.integers(0, 10**8)
PLAYING = Timeline(playing=True, origin_beats=3 * BEAT, revision=7, epoch=2)


def step_beats(timeline: Timeline) -> int:
    """Micro-beats that one microsecond can be, rounded up."""
    fastest = max(timeline.mbpm, timeline.ramp.to_mbpm if timeline.ramp else 0)
    return fastest // 60_000 + 1


@given(timelines(), elapsed, bpms, st.integers(0, 5))
def test_a_tempo_change_moves_nobody(
    base: Timeline, elapsed_us: int, bpm: float, ramp_bars: int
) -> None:
    at_us = base.origin_time_us + elapsed_us
    after = transport.apply(base, SetTempo(id=1, bpm=bpm, ramp_bars=ramp_bars), at_us)
    assert after.song_beats_at(at_us) == base.song_beats_at(at_us)
    assert after.epoch == base.epoch
    # One microsecond earlier the old timeline was at most one microsecond's beats behind.
    before = base.beats_at(at_us) - base.beats_at(at_us - 1)
    assert 0 <= before <= step_beats(base)


@given(timelines(), elapsed, bpms, st.integers(1, 5))
def test_a_ramp_takes_its_bars_and_ends_at_its_tempo(
    base: Timeline, elapsed_us: int, bpm: float, ramp_bars: int
) -> None:
    at_us = base.origin_time_us + elapsed_us
    after = transport.apply(base, SetTempo(id=1, bpm=bpm, ramp_bars=ramp_bars), at_us)
    end = after.origin_beats + ramp_bars * base.meter.bar_beats
    assert after.mbpm_at(after.time_at(end)) == round(bpm * 1000)


@given(timelines(), elapsed, st.none() | loops())
def test_a_loop_moves_nobody(base: Timeline, elapsed_us: int, loop: Loop | None) -> None:
    at_us = base.origin_time_us + elapsed_us
    after = transport.apply(base, SetLoop(id=1, loop=loop), at_us)
    assert after.song_beats_at(at_us) == base.song_beats_at(at_us)
    assert abs(after.mbpm_at(at_us) - base.mbpm_at(at_us)) == 0
    assert after.epoch == base.epoch


@given(timelines(), elapsed, meters)
def test_a_meter_keeps_the_bar_number(base: Timeline, elapsed_us: int, meter: Meter) -> None:
    line = base.next_bar_line(base.origin_time_us + elapsed_us)
    at_us = base.time_at(line)
    bar = base.meter.position_at(base.song_beats(line)).bar
    after = transport.apply(base, SetMeter(id=1, meter=meter), at_us, line)
    assert after.position_at(at_us) == Position(bar, 1)
    assert after.meter == meter
    assert after.meter.bar_start(bar) == after.origin_beats


@given(timelines(), elapsed)
def test_a_bar_line_chosen_by_its_beat_is_hit_exactly(base: Timeline, elapsed_us: int) -> None:
    line = base.next_bar_line(base.origin_time_us + elapsed_us)
    after = transport.apply(base, SetTempo(id=1, bpm=123.4), base.time_at(line), line)
    assert after.origin_beats % base.meter.bar_beats == 0


@given(timelines(), elapsed, commands)
def test_every_change_is_a_newer_revision(
    base: Timeline, elapsed_us: int, command: TransportCommand
) -> None:
    at_us = base.origin_time_us + elapsed_us
    try:
        after = transport.apply(base, command, at_us)
    except InvalidValue:
        return
    assert after.revision == base.revision + 1
    assert after.origin_time_us == at_us
    assert base.epoch <= after.epoch <= base.epoch + 1


def test_start_begins_at_bar_one() -> None:
    after = transport.apply(replace(PLAYING, playing=False), Start(id=1), 500)
    assert (after.playing, after.origin_beats, after.epoch) == (True, 0, 3)


def test_stop_keeps_the_position_and_continue_goes_on_from_there() -> None:
    stopped = transport.apply(PLAYING, Stop(id=1), 1_000_000)
    assert (stopped.playing, stopped.origin_beats, stopped.epoch) == (False, 5 * BEAT, 3)
    again = transport.apply(stopped, Continue(id=1), 9_000_000)
    assert (again.playing, again.origin_beats, again.epoch) == (True, 5 * BEAT, 4)


def test_continue_of_a_room_that_plays_changes_nothing_that_is_heard() -> None:
    after = transport.apply(PLAYING, Continue(id=1), 1_000_000)
    assert (after.playing, after.epoch) == (True, 2)
    assert after.time_at(100 * BEAT) == PLAYING.time_at(100 * BEAT)


def test_stop_in_a_ramp_leaves_the_tempo_that_was_wanted() -> None:
    ramping = replace(PLAYING, ramp=Ramp(180_000, 16 * BEAT))
    stopped = transport.apply(ramping, Stop(id=1), 1_000_000)
    assert (stopped.mbpm, stopped.ramp) == (180_000, None)


@pytest.mark.parametrize("playing", [True, False])
def test_locate_moves_the_song_and_leaves_the_rest(playing: bool) -> None:
    base = replace(PLAYING, playing=playing)
    after = transport.apply(base, Locate(id=1, position=Position(17, 3)), 1_000_000)
    assert (after.origin_beats, after.playing, after.epoch) == (66 * BEAT, playing, 3)


def test_locate_to_a_beat_that_the_bar_has_not_is_refused() -> None:
    with pytest.raises(InvalidValue, match="has the beats 1 to 4"):
        transport.apply(PLAYING, Locate(id=1, position=Position(17, 5)), 0)


def test_a_stopped_room_takes_a_ramp_at_once() -> None:
    base = replace(PLAYING, playing=False)
    after = transport.apply(base, SetTempo(id=1, bpm=90, ramp_bars=4), 0)
    assert (after.mbpm, after.ramp) == (90_000, None)


def test_a_meter_past_the_last_bar_is_refused() -> None:
    far = replace(PLAYING, origin_beats=MAX_BAR * 4 * BEAT)
    with pytest.raises(InvalidValue, match="past the last bar"):
        transport.apply(far, SetMeter(id=1, meter=Meter(3, 4)), far.origin_time_us)


def test_the_same_meter_again_disturbs_nobody() -> None:
    after = transport.apply(PLAYING, SetMeter(id=1, meter=PLAYING.meter), 1_000_000)
    assert (after.epoch, after.origin_beats) == (PLAYING.epoch, 5 * BEAT)


class TestSince:
    @given(timelines(), elapsed, st.integers(0, 60_000_000))
    def test_a_song_is_where_its_own_timeline_has_it(
        self, base: Timeline, elapsed_us: int, since_ago_us: int
    ) -> None:
        stopped = replace(base, playing=False, ramp=None, loop=None)
        at_us = base.origin_time_us + elapsed_us
        since_us = at_us - since_ago_us
        own = replace(stopped, playing=True, origin_time_us=since_us)
        after = transport.apply(stopped, Continue(id=1, since=since_us), at_us)
        assert after.origin_beats == own.beats_at(at_us)
        # Both have each bar line at the same time, but for what one micro-beat takes.
        line = own.next_bar_line(at_us)
        late_us = after.time_at(line) - own.time_at(line)
        assert 0 <= late_us <= 60_000 // own.mbpm + 1

    @given(timelines(), elapsed, st.integers(0, 5_000_000))
    def test_a_locate_in_a_ramp_counts_the_beats_of_the_ramp(
        self, base: Timeline, elapsed_us: int, since_ago_us: int
    ) -> None:
        base = replace(base, loop=None)
        at_us = base.origin_time_us + elapsed_us
        since_us = at_us - since_ago_us
        command = Locate(id=1, position=Position(9), since=since_us)
        after = transport.apply(base, command, at_us)
        passed = base.beats_at(at_us) - base.beats_at(since_us)
        assert abs(after.origin_beats - base.meter.bar_start(9) - passed) <= 1
        assert after.ramp == base.ramp_left_at(at_us)

    def test_the_way_is_folded_into_the_loop(self) -> None:
        looped = Timeline(loop=Loop(1, 3))
        after = transport.apply(looped, Start(id=1, since=0), 5_000_000)
        assert after.origin_beats == 2 * BEAT
        locate = Locate(id=1, position=Position(4), since=0)
        behind = transport.apply(replace(looped, playing=True), locate, 5_000_000)
        assert behind.origin_beats == 12 * BEAT + 10 * BEAT

    def test_one_that_lies_ahead_is_waited_for(self) -> None:
        start = Start(id=1, since=900)
        assert transport.begins_us(PLAYING, start, 500) == 900
        assert transport.begins_us(PLAYING, start, 1_000) == 1_000
        assert transport.begins_us(PLAYING, Continue(id=1, since=900), 500) == 500
        assert transport.apply(PLAYING, start, 900).origin_beats == 0


class TestCountIn:
    @given(timelines(), st.integers(1, 8))
    def test_it_is_so_many_bars_of_the_song_that_begins(self, base: Timeline, bars: int) -> None:
        stopped = transport.apply(base, Stop(id=1), base.origin_time_us)
        command = Continue(id=2, count_in_bars=bars)
        begins_us = transport.begins_us(stopped, command, 0)
        after = transport.apply(stopped, command, begins_us)
        assert after.count_in_bars == bars
        first = after.origin_beats - bars * after.meter.bar_beats
        assert 0 <= after.time_at(first) <= 60_000 // after.mbpm + 1

    @given(timelines(), elapsed, commands)
    def test_whatever_follows_is_not_counted_in(
        self, base: Timeline, elapsed_us: int, command: TransportCommand
    ) -> None:
        counted = replace(base, count_in_bars=4)
        try:
            after = transport.apply(counted, command, base.origin_time_us + elapsed_us)
        except InvalidValue:
            return
        assert after.count_in_bars == 0

    def test_a_song_that_plays_is_stopped_for_a_start(self) -> None:
        assert transport.stops_first(PLAYING, Start(id=1, count_in_bars=1))
        assert not transport.stops_first(PLAYING, Start(id=1))
        assert not transport.stops_first(PLAYING, Continue(id=1, count_in_bars=1))
        after = transport.apply(PLAYING, Continue(id=1, count_in_bars=1), 1_000_000)
        assert after.count_in_bars == 0


def test_only_a_meter_waits_for_a_bar_line_of_itself() -> None:
    assert transport.needs_bar_line(SetMeter(id=1, meter=Meter(3, 4)))
    assert not transport.needs_bar_line(SetTempo(id=1, bpm=100))
