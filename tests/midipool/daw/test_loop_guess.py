"""A loop is known by its jumps."""

from midipool.daw.loop_guess import LoopGuess
from midipool.meter import BEAT, SIXTEENTH_BEATS, Loop, Meter

METER = Meter()
BAR = METER.bar_beats
LOOP = Loop(5, 9)


def went_round(times: int, off_beats: int = 0) -> LoopGuess:
    guess = LoopGuess()
    for _ in range(times):
        guess.jumped(8 * BAR + off_beats, 4 * BAR, METER)
    return guess


def test_one_jump_back_is_no_loop() -> None:
    assert went_round(1).loop is None


def test_the_same_jump_back_twice_running_is_a_loop() -> None:
    guess = went_round(1)
    assert guess.jumped(8 * BAR, 4 * BAR, METER)
    assert guess.loop == LOOP


def test_a_loop_is_stated_once() -> None:
    guess = went_round(2)
    assert not guess.jumped(8 * BAR, 4 * BAR, METER)
    assert guess.loop == LOOP
    assert guess.went_round


def test_a_jump_within_a_sixteenth_of_the_bar_lines_counts() -> None:
    assert went_round(2, SIXTEENTH_BEATS).loop == LOOP
    assert went_round(2, -SIXTEENTH_BEATS).loop == LOOP
    assert went_round(2, SIXTEENTH_BEATS + 1).loop is None


def test_jumps_off_the_bar_lines_forwards_or_to_other_places_are_no_loop() -> None:
    guess = LoopGuess()
    for _ in range(3):
        assert not guess.jumped(4 * BAR, 8 * BAR, METER)
        assert not guess.jumped(8 * BAR, 4 * BAR + BEAT, METER)
    for bar in (8, 9, 10):
        assert not guess.jumped(bar * BAR, 4 * BAR, METER)
    assert guess.loop is None


def test_another_jump_between_begins_the_count_anew() -> None:
    guess = went_round(1)
    guess.jumped(6 * BAR, 2 * BAR, METER)
    assert not guess.jumped(8 * BAR, 4 * BAR, METER)
    assert guess.loop is None


def test_bars_are_the_meters() -> None:
    meter = Meter(7, 8)
    guess = LoopGuess()
    for _ in range(2):
        guess.jumped(6 * meter.bar_beats, 2 * meter.bar_beats, meter)
    assert guess.loop == Loop(3, 7)


def test_a_loop_is_over_a_beat_behind_its_end() -> None:
    guess = went_round(2)
    assert not guess.played_to(8 * BAR + BEAT)
    assert guess.loop == LOOP
    assert guess.played_to(8 * BAR + BEAT + 1)
    assert guess.loop is None


def test_a_jump_past_its_end_ends_a_loop_and_one_before_it_does_not() -> None:
    guess = went_round(2)
    assert not guess.jumped(6 * BAR, 1 * BAR, METER)
    assert guess.loop == LOOP
    assert not guess.went_round
    assert guess.jumped(6 * BAR, 20 * BAR, METER)
    assert guess.loop is None


def test_another_loop_takes_its_place() -> None:
    guess = went_round(2)
    guess.jumped(6 * BAR, 4 * BAR, METER)
    assert guess.jumped(6 * BAR, 4 * BAR, METER)
    assert guess.loop == Loop(5, 7)


def test_a_loop_that_is_forgotten_has_to_be_seen_twice_again() -> None:
    guess = went_round(2)
    assert guess.forget()
    assert not guess.jumped(8 * BAR, 4 * BAR, METER)
    assert guess.loop is None
