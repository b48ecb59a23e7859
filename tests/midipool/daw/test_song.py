"""What happened to a DAW's song, from messages that belong together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.daw.control import (
    Continue,
    ControlEvent,
    MmcPlay,
    MmcStop,
    Start,
    Stop,
    Tick,
)
from midipool.daw.said_place import Placed
from midipool.daw.song import Began, Ceased, DawSong, Happening, Jumped, Moved

MS = 1_000
TICK_US = 20_833


Said = ControlEvent | Placed


def at(time_us: int, sixteenths: int) -> Placed:
    return Placed(time_us, sixteenths * 6)


def told(*events: Said, until_us: int = 10**9, own: bool = True) -> list[Happening]:
    """What happens when these are said, in this order."""
    return played(DawSong(), *events, until_us=until_us, own=own)


def played(song: DawSong, *events: Said, until_us: int, own: bool = True) -> list[Happening]:
    out: list[Happening] = []
    for event in events:
        out += song.poll(event.time_us)
        out += song.tick(event.time_us) if isinstance(event, Tick) else song.hear(event, own)
    while (deadline := song.next_deadline()) is not None and deadline <= until_us:
        out += song.poll(deadline)
    return out


def ticks(from_us: int, count: int) -> list[Tick]:
    return [Tick(from_us + number * TICK_US) for number in range(count)]


def test_a_start_is_at_its_first_clock() -> None:
    assert told(Start(0), *ticks(5 * MS, 3)) == [Began(0, 5 * MS, anew=True)]


def test_a_start_without_a_clock_is_when_it_was_said() -> None:
    song = DawSong()
    assert played(song, Start(70), until_us=249 * MS) == []
    assert song.poll(70 + 250 * MS) == [Began(0, 70, anew=True)]


def test_position_and_continue_are_one_happening() -> None:
    assert told(at(0, 16), Continue(1 * MS), *ticks(2 * MS, 3)) == [Began(96, 2 * MS, anew=False)]


def test_a_position_behind_the_continue_is_its_position_too() -> None:
    assert told(Continue(0), at(1 * MS, 16), *ticks(2 * MS, 1)) == [Began(96, 2 * MS, anew=False)]


def test_continue_after_a_stop_goes_on_where_the_song_stopped() -> None:
    happened = told(Start(0), *ticks(0, 30), Stop(700 * MS), Continue(900 * MS), Tick(905 * MS))
    assert happened == [Began(0, 0, True), Ceased(), Began(30, 905 * MS, anew=False)]


def test_continue_of_a_song_never_heard_of_goes_on_nobody_knows_where() -> None:
    assert told(Continue(0), Tick(10)) == [Began(None, 10, anew=False)]


@pytest.mark.parametrize("gap_ms", [-150, -1, 1, 150])
def test_mmc_play_next_to_a_start_is_the_same_start(gap_ms: int) -> None:
    events: list[Said] = [Start(500 * MS), MmcPlay((500 + gap_ms) * MS)]
    events += ticks(501 * MS, 12)
    events.sort(key=lambda event: event.time_us)
    assert told(*events) == [Began(0, 501 * MS, anew=True)]


def test_a_song_that_nobody_counted_stands_nobody_knows_where() -> None:
    go_on = Continue(3000 * MS)
    assert told(Start(0), Stop(2000 * MS), go_on)[2:] == [Began(None, 3000 * MS, anew=False)]
    placed = (Start(0), Stop(2000 * MS), at(2500 * MS, 16), go_on)
    assert told(*placed)[-1] == Began(96, 3000 * MS, anew=False)


def test_mmc_play_alone_is_a_continue_at_the_first_clock_behind_it() -> None:
    song = DawSong()
    happened = played(song, at(0, 4), MmcPlay(1 * MS), *ticks(10 * MS, 12), until_us=0)
    assert happened == [Began(24, 10 * MS, anew=False)]
    assert song.next_tick == 24 + 12
    assert told(MmcPlay(1 * MS)) == [Began(None, 1 * MS, anew=False)]


def test_play_of_a_song_that_plays_is_nothing() -> None:
    again = (MmcPlay(640 * MS), Continue(641 * MS))
    assert len(told(Start(0), *ticks(0, 30), *again)) == 1


def test_the_same_start_twice_is_one() -> None:
    assert len(told(Start(0), Start(1), Tick(2), Start(3), Tick(TICK_US))) == 1


def test_a_start_while_the_song_plays_begins_it_anew() -> None:
    happened = told(Start(0), *ticks(0, 30), Start(640 * MS), Tick(641 * MS))
    assert happened == [Began(0, 0, True), Began(0, 641 * MS, True)]


def test_stop_and_mmc_stop_are_one() -> None:
    assert told(Stop(0), MmcStop(100 * MS)) == [Ceased()]
    assert told(MmcStop(0), Stop(100 * MS)) == [Ceased()]


def test_a_start_that_is_stopped_before_its_first_clock_has_not_begun() -> None:
    assert told(Start(0), Stop(100 * MS), Tick(400 * MS)) == [Ceased()]


@pytest.mark.parametrize("stop", [False, True])
def test_a_position_while_the_song_plays_is_a_jump_at_the_next_clock(stop: bool) -> None:
    jump: list[Said] = [Stop(990 * MS)] if stop else []
    jump += [at(991 * MS, 64), Continue(992 * MS)]
    happened = told(Start(0), *ticks(0, 48), *jump, *ticks(1000 * MS, 4))
    assert happened == [Began(0, 0, True), Jumped(48, 384, 1000 * MS)]


def test_clocks_between_stop_and_continue_of_a_jump_do_not_count() -> None:
    song = DawSong()
    jump = (Stop(1000 * MS), Tick(1001 * MS), at(1002 * MS, 64), Continue(1003 * MS))
    played(song, Start(0), *ticks(0, 48), *jump, *ticks(1010 * MS, 4), until_us=0)
    assert song.next_tick == 384 + 4


def test_a_jump_without_clocks_is_when_it_was_said() -> None:
    happened = told(Start(0), at(900 * MS, 64))
    assert happened[1:] == [Jumped(0, 384, 900 * MS)]


def test_a_position_that_only_says_where_the_song_is_is_nothing() -> None:
    happened = told(Start(0), *ticks(0, 48), at(999 * MS, 8), *ticks(1000 * MS, 4))
    assert happened == [Began(0, 0, True)]


def test_jumps_that_follow_each_other_closely_are_said_when_they_are_done() -> None:
    events: list[Said] = [Start(0), *ticks(0, 48)]
    for number in range(5):
        at_us = 1000 * MS + number * TICK_US
        events += [at(at_us - 1, 64 + 16 * number), Tick(at_us)]
    happened = told(*events, *ticks(1000 * MS + 5 * TICK_US, 10))
    assert happened[1] == Jumped(48, 384, 1000 * MS)
    assert happened[2:] == [Jumped(None, 384 + 4 * 96 + 1, 1000 * MS + 5 * TICK_US)]


def test_a_cursor_is_where_it_comes_to_rest() -> None:
    dragged = [at(number * 50 * MS, number) for number in range(20)]
    assert told(*dragged) == [Moved(19 * 6)]
    assert told(*dragged, until_us=19 * 50 * MS + 99 * MS) == []


def test_a_cursor_in_front_of_a_start_is_nothing_of_its_own() -> None:
    assert told(at(0, 0), Start(1), Tick(2)) == [Began(0, 2, True)]


def test_what_is_not_its_own_happens_to_the_song_and_is_not_said() -> None:
    song = DawSong()
    echo = (at(0, 16), Continue(1))
    assert played(song, *echo, *ticks(2, 30), until_us=10**9, own=False) == []
    assert (song.running, song.next_tick) == (True, 96 + 30)
    jump = at(640 * MS, 40)
    assert played(song, jump, Tick(641 * MS), until_us=0, own=False) == []
    assert song.next_tick == 240 + 1
    assert played(song, at(800 * MS, 64), Tick(801 * MS), until_us=0) == [
        Jumped(241, 384, 801 * MS)
    ]


_kinds = st.sampled_from([Tick, Start, Stop, Continue, MmcPlay, MmcStop])


@given(st.lists(st.tuples(st.integers(0, 300 * MS), _kinds | st.integers(0, 16383)), max_size=40))
def test_whatever_is_said_it_comes_to_rest(
    said: list[tuple[int, type[Tick | Start] | int]],
) -> None:
    song, time_us = DawSong(), 0
    events: list[Said] = []
    for wait_us, what in said:
        time_us += wait_us
        events.append(at(time_us, what) if isinstance(what, int) else what(time_us))
    happened = played(song, *events, until_us=time_us + 10**6)
    assert song.next_deadline() is None
    # Whoever carries out what happened knows whether the song plays.
    plays = False
    for each in happened:
        plays = isinstance(each, Began | Jumped) if not isinstance(each, Moved) else plays
    assert plays == song.running
