"""Boards: what each operation makes of one, and what it refuses, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.effects.board import MOST_EFFECTS, Board, Boards, Effect
from midipool.effects.kinds import KINDS
from midipool.effects.parameters import Number
from midipool.errors import InvalidValue


def board(*kinds: str) -> Board:
    return Board(tuple(Effect(id=n, kind=kind) for n, kind in enumerate(kinds, 1)))


def kinds(board: Board) -> list[str]:
    return [effect.kind for effect in board.effects]


def test_effects_are_added_moved_and_taken_away_in_order() -> None:
    made = board("gate", "delay").with_added(Effect(id=3, kind="fuzz"), 2)
    assert kinds(made) == ["gate", "fuzz", "delay"]
    assert kinds(made.with_added(Effect(id=4, kind="reverb"))) == [*kinds(made), "reverb"]
    assert kinds(made.with_moved(1, 3)) == ["fuzz", "delay", "gate"]
    assert kinds(made.with_moved(2, 1)) == ["delay", "gate", "fuzz"]
    assert kinds(made.without(3)) == ["gate", "delay"]
    assert kinds(made) == ["gate", "fuzz", "delay"], "a board is never changed"


def test_bypass_and_values_are_of_one_effect_alone() -> None:
    made = board("delay", "delay").with_bypass(2, True).with_values(1, {"time": 300})
    assert [effect.bypass for effect in made.effects] == [False, True]
    assert [effect.all_values["time"] for effect in made.effects] == [300, 250]
    assert [effect.id for effect in made.active] == [1]
    again = made.with_values(1, {"level": 0.1})
    assert again.effect(1).values == {"time": 300, "level": 0.1}


@pytest.mark.parametrize(
    ("do", "says"),
    [
        (lambda b: b.with_values(1, {"time": 9e9}), "time: must be 2 to 2000 ms, not 9e+09"),
        (lambda b: b.with_values(1, {"time": "soon"}), "time: must be a number, not 'soon'"),
        (lambda b: b.with_values(1, {"time": float("nan")}), "time: must be 2 to 2000 ms"),
        (lambda b: b.with_values(1, {"mode": "vinyl"}), "must be one of digital, analog"),
        (lambda b: b.with_values(1, {"wobble": 1}), "wobble: is nothing that can be set"),
        (lambda b: b.with_moved(1, 4), "position: must be 1 to 2, not 4"),
        (lambda b: b.with_added(Effect(id=9, kind="gate"), 0), "position: must be 1 to 3"),
        (lambda b: b.without(7), "effect: 7 is not on this board"),
        (lambda b: b.at(3), "position: there is no effect 3, but 1 to 2"),
        (lambda b: Board().at(1), "there is no effect 1, but none"),
        (lambda b: Effect(id=1, kind="wah"), "kind: must be one of gate, compressor"),
        (lambda b: board(*["gain"] * (MOST_EFFECTS + 1)), "effects: must be 24 at most"),
        (lambda b: Boards({"bass": b}), "board: must be 1 to 4 (an own channel), own"),
        (lambda b: Boards({"own": b, "master": b}), "id: is there twice"),
    ],
)
def test_what_cannot_be_is_refused_in_words(do: object, says: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        do(board("delay", "gate"))  # type: ignore[operator]
    assert says in str(refused.value)


def test_boards_know_where_an_effect_is_and_which_ids_are_free() -> None:
    boards = Boards().with_board("master", board("gain", "eq"))
    assert boards.place_of(2) == "master"
    assert boards.next_id == 3
    assert boards.with_board("master", Board()) == Boards()
    with pytest.raises(InvalidValue, match="no effect 5 on any board"):
        boards.place_of(5)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 6), st.integers(-1, 6)), max_size=30))
def test_whatever_is_done_ids_stay_unique_and_nothing_is_lost(
    steps: list[tuple[int, int, int]],
) -> None:
    boards, expected = Boards(), 0
    for what, first, second in steps:
        made = boards.board("own")
        try:
            if what == 0:
                made = made.with_added(Effect(id=boards.next_id, kind="gain"), first)
                expected += 1
            elif what == 1:
                made = made.without(made.at(first).id)
                expected -= 1
            elif what == 2:
                made = made.with_moved(made.at(first).id, second)
            else:
                made = made.with_bypass(made.at(first).id, True)
        except InvalidValue:
            continue
        boards = boards.with_board("own", made)
        assert len(made.effects) == expected


def test_every_default_can_be_set_and_every_kind_has_a_name() -> None:
    for kind in KINDS.values():
        assert kind.title
        assert kind.parameters
        for parameter in kind.parameters:
            assert parameter.check(parameter.default) == parameter.default
            if isinstance(parameter, Number):
                assert parameter.least < parameter.most
                assert parameter.step > 0
