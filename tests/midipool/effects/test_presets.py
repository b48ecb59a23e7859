"""Presets are written and read again; RTJam's boards come over as far as they can."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.effects import presets
from midipool.effects.board import Board, Effect
from midipool.errors import InvalidValue

BOARD = Board(
    (
        Effect(id=4, kind="delay", values={"sync": "1/8.", "level": 0.25}),
        Effect(id=2, kind="plugin", bypass=True, values={"file": "/x.vst3", "drive": 0.5}),
    )
)


def test_a_board_comes_back_as_it_was_under_new_ids() -> None:
    written = presets.to_json(presets.preset_of("lead", BOARD))
    preset, notes = presets.from_json(written)
    board = presets.board_of(preset, 10)
    assert [effect.id for effect in board.effects] == [10, 11]
    assert [(e.kind, e.bypass, e.values) for e in board.effects] == [
        (e.kind, e.bypass, e.values) for e in BOARD.effects
    ]
    assert (preset.name, notes) == ("lead", [])


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (b"{", "is no preset"),
        (b"\xff", "is no preset"),
        (b"[]", "is no preset"),
        (b"{}", "is neither midiPool's nor RTJam's"),
        (b'{"midipool_effects": 2}', "must be 1, not 2: a newer midiPool wrote it"),
        (b'{"midipool_effects": 1, "effects": [{"kind": "wah"}]}', "kind: must be one of"),
        (b'{"midipool_effects": 1, "effects": [{"kind": 1}]}', "is no preset"),
        (
            b'{"midipool_effects":1,"effects":[{"kind":"gain","values":{"gain":99}}]}',
            "gain: must be -60 to 30 dB",
        ),
        (b'{"config": 3}', "config: must be a list"),
        (b"[" * 100_000, "is no preset"),
        (b" " * (presets.MOST_BYTES + 1), "longer than"),
    ],
)
def test_what_is_none_says_why(said: bytes, says: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        presets.from_json(said)
    assert says in str(refused.value)


@pytest.mark.parametrize("name", ["", " ", "..", ".hidden", "a/b", "a\\b", "x" * 65, "a\nb", 'q"'])
def test_a_name_is_never_a_path(name: str) -> None:
    with pytest.raises(InvalidValue, match="name"):
        presets.preset_of(name, BOARD)


def pedal(index: int, name: str, *settings: tuple[str, Any, list[str]]) -> dict[str, Any]:
    fields = [
        {"index": n, "name": s, "value": v, "labels": labels, "min": 0, "max": 1, "type": 0}
        for n, (s, v, labels) in enumerate(settings)
    ]
    return {"index": index, "name": name, "settings": fields}


def test_rtjams_boards_come_over() -> None:
    config = [
        pedal(1, "Delay", ("mode", 1, ["Dig", "Ana", "HPF"]), ("duration", 400, []), ("x", 1, [])),
        pedal(0, "Noise Gate", ("threshold", -500, []), ("hold", 50, [])),
        pedal(2, "Sigma Reverb", ("lowFreq", 100, []), ("level", 0.7, []), ("bypass", 1, [])),
        pedal(3, "Speaker Sim", ("cabinet", 2, ["1x12", "2x12", "4x10", "4x12"])),
        pedal(4, "Super Modeler"),
    ]
    preset, notes = presets.from_json(json.dumps({"name": "Gig", "config": config}).encode())
    assert preset.name == "Gig"
    assert [(e.kind, e.bypass, e.values) for e in preset.effects] == [
        ("gate", False, {"threshold": -80.0, "hold": 50.0}),
        ("delay", False, {"mode": "analog", "time": 400.0}),
        ("reverb", True, {"low_cut": 100.0, "level": 0.7}),
        ("cabinet", False, {"model": "4x10"}),
    ]
    assert notes == ["delay: x: is not known here", "Super Modeler: there is no such effect here"]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(json_values, st.sampled_from(["config", "effects"]))
def test_any_json_is_read_or_refused(value: Any, field: str) -> None:
    said = msgspec.json.encode(
        {field: value, **({"midipool_effects": 1} if field[0] == "e" else {})}
    )
    try:
        preset, _ = presets.from_json(said)
    except InvalidValue:
        return
    assert presets.from_json(presets.to_json(preset))[0].effects == preset.effects
