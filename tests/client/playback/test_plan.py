"""A recording begins on bar lines, and goes with the room."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from midipool.meter import Loop
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.playback.pieces import TakePiece
from midipool_client.playback.plan import AHEAD_US, TakePlan
from midipool_client.playback.room_song import song_bar_us
from tests.client.playback.takes import BAR_US, room, song

LOOK_US = 100_000
PLAYING = Timeline(playing=True)
STOPPED = Timeline(playing=False)


class Listener:
    """Plays a plan as its engine would: by what it was told last, with what was summed already."""

    def __init__(self, plan: TakePlan, chain: TimelineChain, now_us: int = 0) -> None:
        self.plan, self.now_us = plan, now_us
        self.heard: list[tuple[int, int]] = []
        """(room time, place) each 100 ms."""
        plan.follow(chain, now_us)

    def until(self, time_us: int) -> "Listener":
        while self.now_us < time_us:
            self.now_us += LOOK_US
            self.plan.look(self.now_us)
            for piece in self.plan.pieces(self.now_us):
                if piece.play_us <= self.now_us < piece.play_end_us:
                    place_us = piece.take_us + self.now_us - piece.play_us
                    self.heard.append((self.now_us, place_us))
        return self

    def place(self, at_us: int) -> int | None:
        return dict(self.heard).get(at_us)

    def first(self) -> tuple[int, int]:
        return self.heard[0]


def after(timeline: Timeline, at_us: int, **changes: object) -> Timeline:
    """What takes over at a time, and goes on with the song where it was."""
    changed = {"origin_time_us": at_us, "origin_beats": timeline.song_beats_at(at_us), **changes}
    return msgspec.structs.replace(timeline, revision=timeline.revision + 1, **changed)


def test_begins_on_the_next_bar_line_and_stays_with_the_bars() -> None:
    heard = Listener(TakePlan(song()), room(), 300_000).until(12_000_000)
    assert heard.first() == (BAR_US, 0)
    assert all(room_us - place_us == BAR_US for room_us, place_us in heard.heard)
    assert heard.plan.phase(heard.now_us) == "playing"
    assert heard.plan.bar(heard.now_us) == 6


def test_what_is_too_near_is_the_bar_line_after() -> None:
    heard = Listener(TakePlan(song()), room(), 1_500_000).until(9_000_000)
    assert heard.first() == (2 * BAR_US, 0)


def test_begins_with_the_bar_that_was_asked_for() -> None:
    heard = Listener(TakePlan(song(), from_bar=4), room()).until(5_000_000)
    assert heard.first() == (BAR_US, 3 * BAR_US)


def test_begins_with_a_bar_of_the_rooms_song_also_in_a_loop() -> None:
    heard = Listener(TakePlan(song(), at_bar=5), room()).until(12_000_000)
    assert heard.first() == (4 * BAR_US, 0)
    looped = Timeline(playing=True, loop=Loop(1, 4))
    heard = Listener(TakePlan(song(), at_bar=2), room(looped), 3 * BAR_US).until(12_000_000)
    assert heard.first() == (4 * BAR_US, 0)
    assert song_bar_us(room(looped), 0, 9) is None


def test_waits_until_the_song_plays() -> None:
    heard = Listener(TakePlan(song()), room(STOPPED)).until(3_000_000)
    assert (heard.heard, heard.plan.phase(heard.now_us)) == ([], "waiting")
    begun = after(STOPPED, 4_000_000, playing=True)
    heard.plan.follow(room(STOPPED, begun), heard.now_us)
    assert heard.until(9_000_000).first() == (4_000_000, 0)


def test_stops_with_the_song_and_goes_on_with_the_next_bar() -> None:
    heard = Listener(TakePlan(song()), room()).until(4_500_000)
    stop = after(PLAYING, 5_000_000, playing=False)
    heard.plan.follow(room(PLAYING, stop), heard.now_us)
    heard.until(9_000_000)
    assert heard.heard[-1][0] == 4_900_000
    assert heard.plan.phase(heard.now_us) == "waiting"
    # It stood in bar 2, at 3 s: the next one is bar 3.
    assert heard.plan.bar(heard.now_us) == 3
    again = after(stop, 10_000_000, playing=True, origin_beats=0)
    heard.plan.follow(room(stop, again), heard.now_us)
    heard.until(12_000_000)
    assert heard.place(10_000_000) == 2 * BAR_US


def test_a_song_that_jumps_out_of_its_bar_takes_it_along() -> None:
    heard = Listener(TakePlan(song()), room()).until(4_500_000)
    jump = after(PLAYING, 5_000_000, origin_beats=40_000_000, epoch=1)
    heard.plan.follow(room(PLAYING, jump), heard.now_us)
    heard.until(9_000_000)
    assert heard.place(4_900_000) == 2_900_000
    # The new bar line is too near; it goes on with the one after it, and with the next bar.
    assert heard.place(5_000_000) is None
    assert heard.place(7_000_000) == 2 * BAR_US


def test_a_jump_on_a_bar_line_is_nothing_to_it() -> None:
    heard = Listener(TakePlan(song()), room()).until(4_500_000)
    jump = after(PLAYING, 6_000_000, origin_beats=40_000_000, epoch=1)
    heard.plan.follow(room(PLAYING, jump), heard.now_us)
    heard.until(9_000_000)
    assert all(room_us - place_us == BAR_US for room_us, place_us in heard.heard)


def test_another_tempo_leaves_it_its_own_speed_and_says_so() -> None:
    heard = Listener(TakePlan(song()), room()).until(4_500_000)
    assert heard.plan.beside(heard.now_us) == ""
    faster = after(PLAYING, 6_000_000, mbpm=180_000)
    heard.plan.follow(room(PLAYING, faster), heard.now_us)
    heard.until(9_000_000)
    assert all(room_us - place_us == BAR_US for room_us, place_us in heard.heard)
    assert "at its own speed" in heard.plan.beside(heard.now_us)


def test_repeats_bars() -> None:
    heard = Listener(TakePlan(song(), loop=Loop(2, 4)), room()).until(20_000_000)
    bars = [heard.place((n + 1) * BAR_US) for n in range(9)]
    assert bars == [b * BAR_US for b in (0, 1, 2, 1, 2, 1, 2, 1, 2)]


def test_a_loop_is_of_whole_bars_also_where_the_recording_is_not() -> None:
    heard = Listener(TakePlan(song(5.0), loop=Loop(1, 4)), room()).until(16_000_000)
    assert [heard.place(at) for at in (2_000_000, 8_000_000, 14_000_000)] == [0, 0, 0]
    assert heard.plan.phase(7_500_000) == "playing"


def test_a_loop_that_is_set_and_taken_away_moves_nothing() -> None:
    heard = Listener(TakePlan(song()), room()).until(5_000_000)
    heard.plan.repeat(Loop(2, 4), heard.now_us)
    heard.until(11_000_000)
    assert heard.place(8_000_000) == BAR_US
    heard.plan.repeat(None, heard.now_us)
    heard.until(15_000_000)
    assert [heard.place((n + 4) * BAR_US) for n in range(4)] == [b * BAR_US for b in (1, 2, 3, 4)]


def test_who_is_behind_a_loop_plays_on() -> None:
    heard = Listener(TakePlan(song(), from_bar=5), room()).until(5_000_000)
    heard.plan.repeat(Loop(2, 4), heard.now_us)
    heard.until(11_000_000)
    assert heard.place(10_000_000) == 8 * BAR_US


def test_goes_elsewhere_on_the_next_bar_line() -> None:
    heard = Listener(TakePlan(song()), room()).until(4_300_000)
    heard.plan.seek(1, heard.now_us)
    heard.until(9_000_000)
    assert heard.place(5_900_000) == 3_900_000
    assert heard.place(6_000_000) == 0
    assert heard.place(8_000_000) == BAR_US


def test_a_pause_keeps_its_bar() -> None:
    heard = Listener(TakePlan(song()), room()).until(5_000_000)
    heard.plan.pause(heard.now_us)
    heard.until(9_100_000)
    assert heard.heard[-1][0] < 5_000_000 + AHEAD_US
    assert (heard.plan.phase(heard.now_us), heard.plan.bar(heard.now_us)) == ("paused", 2)
    heard.plan.go_on(heard.now_us)
    assert heard.until(11_000_000).place(10_000_000) == BAR_US
    assert heard.plan.phase(heard.now_us) == "playing"


def test_a_pause_that_is_taken_back_at_once_is_one_all_the_same() -> None:
    heard = Listener(TakePlan(song()), room()).until(5_000_000)
    heard.plan.pause(heard.now_us)
    heard.plan.go_on(heard.now_us)
    heard.until(9_000_000)
    assert heard.place(6_000_000) == BAR_US


def test_moved_while_it_is_paused_it_waits_there() -> None:
    heard = Listener(TakePlan(song()), room()).until(5_000_000)
    heard.plan.pause(heard.now_us)
    heard.plan.seek(7, heard.now_us)
    heard.until(6_000_000)
    assert heard.plan.bar(heard.now_us) == 7
    heard.plan.go_on(heard.now_us)
    assert heard.until(9_000_000).place(8_000_000) == 6 * BAR_US


def test_ends_and_may_be_played_again() -> None:
    heard = Listener(TakePlan(song(4.0)), room()).until(8_000_000)
    assert heard.heard[-1] == (5_900_000, 3_900_000)
    assert heard.plan.phase(heard.now_us) == "ended"
    stop = after(PLAYING, 9_000_000, playing=False)
    heard.plan.follow(room(PLAYING, stop), heard.now_us)
    assert heard.plan.phase(heard.until(10_000_000).now_us) == "ended"
    heard.plan.follow(room(), heard.now_us)
    heard.plan.go_on(heard.now_us)
    assert heard.until(13_000_000).place(12_000_000) == 0


def test_another_clock_moves_all_along() -> None:
    heard = Listener(TakePlan(song()), room()).until(5_000_000)
    by_us = 700_000_000
    heard.plan.shift(by_us)
    heard.now_us += by_us
    heard.plan.follow(room().moved_by(by_us), heard.now_us)
    heard.until(by_us + 9_000_000)
    assert heard.place(by_us + 8_000_000) == 6_000_000


def test_refuses_what_is_not_there() -> None:
    with pytest.raises(InvalidValue, match="from: the recording has the bars 1 to 10"):
        TakePlan(song(), from_bar=11)
    with pytest.raises(InvalidValue, match="loop"):
        TakePlan(song(), loop=Loop(3, 20))
    plan = TakePlan(song())
    with pytest.raises(InvalidValue, match="bar"):
        plan.seek(11, 0)


asked = st.one_of(
    st.tuples(st.just("seek"), st.integers(1, 10)),
    st.tuples(st.just("pause"), st.none()),
    st.tuples(st.just("go_on"), st.none()),
    st.tuples(st.just("repeat"), st.sampled_from([None, Loop(1, 2), Loop(3, 5), Loop(5, 11)])),
    st.tuples(st.just("stop"), st.none()),
    st.tuples(st.just("start"), st.none()),
)


@given(st.lists(st.tuples(asked, st.integers(0, 50)), max_size=12))
def test_pieces_are_in_order_and_within_the_recording(
    steps: list[tuple[tuple[str, object], int]],
) -> None:
    made = song()
    plan, now_us, timeline = TakePlan(made), 0, PLAYING
    plan.follow(room(timeline), 0)
    for (what, argument), looks in steps:
        if what in ("stop", "start"):
            timeline = after(timeline, now_us + 50_000, playing=what == "start", origin_beats=0)
            plan.follow(room(timeline), now_us)
        elif argument is None and what != "repeat":
            getattr(plan, what)(now_us)
        else:
            getattr(plan, what)(argument, now_us)
        for _ in range(looks):
            now_us += LOOK_US
            plan.look(now_us)
            check(plan.pieces(now_us), made.length_us)
            assert 1 <= plan.bar(now_us) <= made.bars
            plan.beside(now_us)


def check(pieces: list[TakePiece], length_us: int) -> None:
    for piece in pieces:
        assert piece.play_us < piece.play_end_us
        assert piece.take_us >= 0
        assert piece.take_us + piece.play_end_us - piece.play_us <= length_us
    for before, behind in pairwise(pieces):
        assert before.play_end_us <= behind.play_us
