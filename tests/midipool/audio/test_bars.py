"""`bar` mode: what was played in a bar is heard so many bars later, beat on beat."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from midipool.audio.bars import (
    MAX_BARS,
    MOST_DELAY_US,
    MOST_SLOPE_PPM,
    ROUNDING_US,
    BarDelay,
    Piece,
    complaint,
)
from midipool.audio.played_bars import played_bars
from midipool.errors import InvalidValue
from midipool.messages import Continue, Locate, SetLoop, SetMeter, SetTempo, Start, Stop
from midipool.meter import Loop, Meter, Position
from midipool.timeline import Ramp, Timeline
from midipool.timeline_chain import TimelineChain
from tests.midipool.strategies import Change, conduct, songs, timelines

SECOND = 1_000_000
BAR_US = 2 * SECOND
STANDING = TimelineChain((Timeline(),))
# 4/4 at 120 BPM from 10 s on.
PLAYING = conduct(STANDING, Start(id=1), 10 * SECOND)
FROM_US = 10 * SECOND


def heard(chain: TimelineChain, from_us: int, to_us: int, bars: int = 1) -> list[Piece]:
    return BarDelay(bars, chain).pieces(from_us, to_us)


def at(pieces: list[Piece], play_us: int) -> Piece:
    return next(p for p in pieces if p.play_us <= play_us < p.play_end_us)


def captured(pieces: list[Piece], play_us: int) -> int | str:
    piece = at(pieces, play_us)
    return piece.capture_at(play_us) if piece.kind == "bars" else piece.kind


class TestSteady:
    @pytest.mark.parametrize("bars", [1, 2, 16])
    def test_it_is_a_constant_delay_of_so_many_bars(self, bars: int) -> None:
        delay = BarDelay(bars, PLAYING)
        for capture_us in range(FROM_US, FROM_US + 20 * SECOND, 777_777):
            assert delay.play_at(capture_us) == capture_us + bars * BAR_US
        begin_us = FROM_US + bars * BAR_US
        pieces = delay.pieces(begin_us, begin_us + 20 * SECOND)
        assert all(p.play_us - p.capture_us == bars * BAR_US for p in pieces)
        assert all(b.continues(a) and b.aligned for a, b in pairwise(pieces))

    def test_it_begins_with_as_many_silent_bars(self) -> None:
        pieces = heard(PLAYING, 0, FROM_US + 3 * BAR_US, bars=2)
        kinds = [(p.kind, p.play_us) for p in pieces if p.kind != "bars"]
        assert kinds == [("at_once", 0), ("silence", FROM_US), ("silence", FROM_US + BAR_US)]
        assert captured(pieces, FROM_US + 2 * BAR_US) == FROM_US

    def test_after_hours_it_looks_back_no_further_than_it_needs(self) -> None:
        hours_us = 30 * 3600 * SECOND
        pieces = heard(PLAYING, hours_us, hours_us + SECOND)
        assert captured(pieces, hours_us) == hours_us - BAR_US
        assert len(played_bars(PLAYING, hours_us, hours_us + 3 * BAR_US)) <= 5

    @given(timelines(), st.integers(1, 4), st.integers(0, 10**7))
    @settings(deadline=None, max_examples=50)
    def test_in_a_steady_tempo_it_is_exact_at_any_meter_and_in_loops(
        self, timeline: Timeline, bars: int, later_us: int
    ) -> None:
        steady = replace(timeline, ramp=None)
        delay = BarDelay(bars, TimelineChain((steady,)))
        line_us = steady.time_at(steady.bar_line_from(steady.origin_beats))
        capture_us = line_us + later_us
        beats = steady.beats_at(capture_us) + bars * steady.meter.bar_beats
        play_us = delay.play_at(capture_us)
        if steady.time_at(beats) - capture_us > MOST_DELAY_US:
            return
        assert play_us is not None
        assert abs(play_us - steady.time_at(beats)) <= 3


class TestChanges:
    def test_a_faster_tempo_cuts_bars_and_begins_each_on_its_line(self) -> None:
        change_us = FROM_US + 2 * BAR_US
        chain = conduct(PLAYING, SetTempo(id=1, bpm=150), change_us)
        pieces = heard(chain, change_us, change_us + 5 * SECOND)
        first, second = pieces[0], pieces[1]
        # The bar before was longer: its last 0.4 s are not heard.
        assert (first.play_us, first.capture_us) == (change_us, change_us - BAR_US)
        assert first.play_end_us - first.play_us == first.capture_end_us - first.capture_us
        assert not first.aligned
        assert second.play_us == change_us + 1_600_000
        assert second.capture_us == change_us
        assert not second.continues(first)
        assert second.aligned

    def test_a_slower_tempo_leaves_silence_at_the_end_of_the_bar(self) -> None:
        change_us = FROM_US + 2 * BAR_US
        chain = conduct(PLAYING, SetTempo(id=1, bpm=100), change_us)
        pieces = heard(chain, change_us, change_us + 5 * SECOND)
        assert (pieces[0].capture_end_us, pieces[0].play_end_us) == (change_us, change_us + BAR_US)
        assert (pieces[1].kind, pieces[1].play_end_us) == ("silence", change_us + 2_400_000)
        assert captured(pieces, change_us + 2_400_000) == change_us

    def test_a_tempo_a_little_different_is_followed_by_resampling(self) -> None:
        change_us = FROM_US + 2 * BAR_US
        chain = conduct(PLAYING, SetTempo(id=1, bpm=120.3), change_us)
        pieces = heard(chain, change_us, change_us + 8 * SECOND)
        assert all(p.aligned and p.kind == "bars" for p in pieces)
        assert all(b.continues(a) for a, b in pairwise(pieces))
        line_us = chain.last.time_at(chain.last.origin_beats + 4_000_000)
        assert abs(int(captured(pieces, line_us)) - change_us) <= 2

    def test_a_ramp_is_on_the_grid_at_every_bar_line(self) -> None:
        ramp = Timeline(playing=True, mbpm=100_000, ramp=Ramp(160_000, 64_000_000))
        chain = TimelineChain((ramp,))
        lines = [ramp.time_at(4_000_000 * bar) for bar in range(20)]
        pieces = heard(chain, lines[1], lines[-1])
        for before_us, line_us in pairwise(lines[:-1]):
            assert abs(int(captured(pieces, line_us)) - before_us) <= 2

    def test_the_fourth_beat_has_no_place_in_three_four(self) -> None:
        change_us = FROM_US + 2 * BAR_US
        chain = conduct(PLAYING, SetMeter(id=1, meter=Meter(3, 4)), change_us)
        pieces = heard(chain, change_us, change_us + 6 * SECOND)
        assert captured(pieces, change_us) == change_us - BAR_US
        assert captured(pieces, change_us + 1_400_000) == change_us - BAR_US + 1_400_000
        assert captured(pieces, change_us + 1_500_000) == change_us

    def test_and_three_four_leaves_the_fourth_beat_silent(self) -> None:
        three = TimelineChain((Timeline(playing=True, meter=Meter(3, 4)),))
        chain = conduct(three, SetMeter(id=1, meter=Meter(4, 4)), 15 * SECOND)
        pieces = heard(chain, 15 * SECOND, 20 * SECOND)
        assert captured(pieces, 15 * SECOND) == 13_500_000
        assert captured(pieces, 16_500_000) == "silence"
        assert captured(pieces, 17_000_000) == 15 * SECOND

    def test_a_locate_to_a_bar_line_in_the_bar_goes_on_with_the_next_bar(self) -> None:
        """The bar that was left in the middle is heard as far as it went, then silence."""
        jump_us = FROM_US + 2 * BAR_US + 500_000
        chain = conduct(PLAYING, Locate(id=1, position=Position(17)), jump_us)
        pieces = heard(chain, FROM_US + BAR_US, jump_us + 3 * BAR_US)
        assert captured(pieces, jump_us - 1) == jump_us - 1 - BAR_US
        assert captured(pieces, jump_us) == FROM_US + 2 * BAR_US
        assert captured(pieces, jump_us + 499_999) == jump_us - 1
        assert captured(pieces, jump_us + 500_000) == "silence"
        assert captured(pieces, jump_us + BAR_US) == jump_us

    def test_a_locate_into_a_bar_is_heard_beat_on_beat(self) -> None:
        jump_us = FROM_US + 2 * BAR_US
        chain = conduct(PLAYING, Locate(id=1, position=Position(17, 3)), jump_us)
        pieces = heard(chain, jump_us, jump_us + 3 * BAR_US)
        # Beat 3 of what was played before, then on the next bar line silence up to beat 3.
        assert captured(pieces, jump_us) == FROM_US + BAR_US + SECOND
        assert captured(pieces, jump_us + SECOND) == "silence"
        assert captured(pieces, jump_us + 2 * SECOND) == jump_us

    def test_a_loop_changes_nothing(self) -> None:
        chain = conduct(PLAYING, SetLoop(id=1, loop=Loop(1, 3)), FROM_US + 5 * BAR_US)
        pieces = heard(chain, FROM_US + BAR_US, FROM_US + 12 * BAR_US)
        assert all(p.kind == "bars" and p.play_us - p.capture_us == BAR_US for p in pieces)

    def test_a_stop_leaves_out_what_was_to_come_and_a_start_begins_anew(self) -> None:
        stop_us = FROM_US + 3 * BAR_US + 700_000
        stopped = conduct(PLAYING, Stop(id=1), stop_us)
        chain = conduct(stopped, Continue(id=1), stop_us + 5 * SECOND)
        delay = BarDelay(1, chain)
        pieces = delay.pieces(stop_us - 100_000, stop_us + 20 * SECOND)
        assert captured(pieces, stop_us - 1) == stop_us - 1 - BAR_US
        assert captured(pieces, stop_us) == "at_once"
        assert captured(pieces, stop_us + 5 * SECOND) == "silence"
        assert delay.play_at(stop_us - 1) is None
        assert delay.play_at(stop_us + 1) is None
        # Bar 4 goes on where it stopped and is a part; the bar after it is on the grid.
        line_us = stop_us + 5 * SECOND + 1_300_000
        assert captured(pieces, line_us) == "silence"
        assert captured(pieces, line_us + 700_000) == stop_us + 5 * SECOND

    def test_after_a_stop_and_a_start_the_first_bar_is_silent(self) -> None:
        stop_us = FROM_US + 3 * BAR_US
        chain = conduct(conduct(PLAYING, Stop(id=1), stop_us), Start(id=1), stop_us + SECOND)
        pieces = heard(chain, stop_us, stop_us + 10 * SECOND)
        begin_us = stop_us + SECOND
        assert captured(pieces, begin_us) == captured(pieces, begin_us + BAR_US - 1) == "silence"
        assert captured(pieces, begin_us + BAR_US) == begin_us

    def test_a_change_is_heard_of_while_it_plays(self) -> None:
        delay = BarDelay(1, PLAYING)
        change_us = FROM_US + 4 * BAR_US
        chain = conduct(PLAYING, SetTempo(id=1, bpm=150), change_us)
        delay.follow(chain, change_us - SECOND)
        before = delay.pieces(change_us, change_us + 5 * SECOND)
        # Later the room tells no more of the timeline that is over: it is still needed.
        delay.follow(chain.since(change_us + SECOND), change_us + SECOND)
        assert delay.pieces(change_us, change_us + 5 * SECOND) == before

    def test_a_change_that_is_taken_back_leaves_nothing(self) -> None:
        delay = BarDelay(1, PLAYING)
        delay.follow(conduct(PLAYING, Stop(id=1), FROM_US + 5 * BAR_US), FROM_US + BAR_US)
        delay.follow(PLAYING, FROM_US + BAR_US)
        told = FROM_US + BAR_US, FROM_US + 9 * BAR_US
        assert delay.pieces(*told) == heard(PLAYING, *told)

    def test_a_tempo_that_is_taken_back_leaves_nothing(self) -> None:
        delay, told = BarDelay(1, PLAYING), (FROM_US + BAR_US, FROM_US + 9 * BAR_US)
        delay.follow(conduct(PLAYING, SetTempo(id=1, bpm=150), FROM_US + 3 * BAR_US), FROM_US)
        # Another change came in front of it.
        newer = conduct(PLAYING, SetTempo(id=1, bpm=90), FROM_US + 2 * BAR_US)
        delay.follow(newer, FROM_US)
        assert delay.pieces(*told) == heard(newer, *told)

    def test_another_room_clock_moves_all_of_it(self) -> None:
        delay = BarDelay(1, PLAYING)
        delay.shift(77)
        assert delay.play_at(FROM_US + 77) == FROM_US + 77 + BAR_US


@given(songs(st.integers(0, 800_000)), st.integers(1, 3), st.booleans())
@settings(deadline=None, max_examples=100)
def test_whatever_the_room_does(script: list[Change], bars: int, forgetful: bool) -> None:
    """Without gaps, in order, never from the future, on the grid, and nothing is bent too far."""
    chain = TimelineChain((Timeline(),))
    delay = BarDelay(bars, chain)
    for change in script:
        chain = conduct(chain, change.command, change.heard_us + change.lead_us)
        told = chain.since(change.heard_us) if forgetful else chain
        delay.follow(told, change.heard_us)
    end_us = chain.last.origin_time_us + 5 * SECOND
    pieces = delay.pieces(0, end_us)
    assert (pieces[0].play_us, pieces[-1].play_end_us) == (0, end_us)
    assert all(p.play_us < p.play_end_us for p in pieces)
    assert all(a.play_end_us == b.play_us for a, b in pairwise(pieces))
    sounding = [p for p in pieces if p.kind == "bars"]
    for a, b in pairwise(sounding):
        assert b.capture_us >= a.capture_end_us - 2 * ROUNDING_US
    for p in sounding:
        assert p.capture_us <= p.capture_end_us <= p.play_us + ROUNDING_US
        play_us, capture_us = p.play_end_us - p.play_us, p.capture_end_us - p.capture_us
        bent_us = abs(play_us - capture_us)
        assert bent_us <= 4 * ROUNDING_US + play_us * MOST_SLOPE_PPM // 1_000_000
        if p.aligned:
            assert phase_apart_us(chain, p.play_us, p.capture_us) <= 1000
            assert phase_apart_us(chain, p.play_end_us - 1, p.capture_end_us - 1) <= 1000


def phase_apart_us(chain: TimelineChain, play_us: int, capture_us: int) -> float:
    """How far two times are apart in their bars, at the tempo of the first."""
    played, origin = chain.at(play_us), chain.at(capture_us)
    bar = played.meter.bar_beats
    apart = played.beats_at(play_us) % bar - origin.beats_at(capture_us) % origin.meter.bar_beats
    apart = min(abs(apart), abs(abs(apart) - bar), abs(abs(apart) - origin.meter.bar_beats))
    return apart * 60_000 / played.mbpm_at(play_us)


class TestLimits:
    @pytest.mark.parametrize("bars", [0, MAX_BARS + 1, -1])
    def test_a_number_of_bars_that_is_none(self, bars: int) -> None:
        with pytest.raises(InvalidValue, match=f"bars: must be 1 to 16, not {bars}"):
            BarDelay(bars, PLAYING)

    def test_bars_that_are_too_short_are_told_how_many_would_do(self) -> None:
        fast = Timeline(mbpm=999_000, meter=Meter(2, 4))
        words = complaint(fast, 1, 690_000)
        assert words == "1 bar takes 0.12 s, and sound needs 0.69 s: choose 6"
        assert complaint(fast, 6, 690_000) is None
        tiny = Timeline(mbpm=999_000, meter=Meter(1, 32))
        assert "choose another profile" in str(complaint(tiny, 1, 690_000))

    def test_bars_that_are_too_long_to_be_kept(self) -> None:
        slow = Timeline(mbpm=20_000, meter=Meter(16, 4))
        assert complaint(slow, 2, 0) == "2 bars take 96.0 s, and 60 s are kept: choose 1 or fewer"
        chain = conduct(TimelineChain((slow,)), Start(id=1), 0)
        pieces = heard(chain, 0, 400 * SECOND, bars=2)
        assert {p.kind for p in pieces if p.play_us > 0} == {"silence"}
