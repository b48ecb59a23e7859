"""Boards as lines of the chat: said, read, and told from other talk."""

import pytest

from midipool.effects.board import Board, Effect
from midipool.effects.kinds import KINDS
from midipool.effects.lines import line_of, newest, preset_in
from midipool.effects.presets import board_of
from midipool.errors import InvalidValue

BOARD = Board(
    (
        Effect(id=1, kind="gate", values={"threshold": -45, "hold": 40}),
        Effect(id=2, kind="delay", bypass=True, values={"sync": "1/8.", "level": 0.25}),
        Effect(id=3, kind="cabinet", values={"model": "4x12", "file": "/home/me/secret.wav"}),
        Effect(id=4, kind="plugin", values={"file": "/home/me/x.vst3"}),
    )
)
LINE = "effects lead: gate threshold=-45; delay(off) sync=1/8. level=0.25; cabinet model=4x12"


def test_a_line_says_what_others_can_have_and_no_more() -> None:
    assert line_of("lead", BOARD, 500) == LINE
    preset = preset_in(LINE)
    assert preset is not None
    assert line_of(preset.name, board_of(preset, 7), 500) == LINE


def test_every_kind_can_be_said() -> None:
    for kind in KINDS.values():
        if kind.free:
            continue
        board = Board((Effect(id=1, kind=kind.id),))
        preset = preset_in(line_of("x", board, 500))
        assert preset is not None
        assert board_of(preset, 1) == board


@pytest.mark.parametrize(
    "talk",
    ["effects are great", "effects x: wah", "effects x: gain gain=99", "effects x: ", "hello", ""],
)
def test_other_talk_is_no_board(talk: str) -> None:
    assert preset_in(talk) is None


def test_the_newest_of_a_name_counts_and_what_is_not_there_is_said() -> None:
    lines = ["effects a: gain gain=1", "hi", "effects b: gate", "effects a: gain gain=2"]
    assert newest(lines, "a").effects[0].values == {"gain": 2}
    with pytest.raises(InvalidValue, match="nobody shared effects called c; there are: a, b"):
        newest(lines, "c")


def test_what_is_too_long_or_nothing_is_refused() -> None:
    with pytest.raises(InvalidValue, match="export it"):
        line_of("lead", BOARD, 50)
    with pytest.raises(InvalidValue, match="no effect that others could have"):
        line_of("lead", Board(BOARD.effects[3:]), 500)
