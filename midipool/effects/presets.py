"""Boards as JSON: ours, and what RTJam writes. Pure.

{"midipool_effects": 1, "name": "lead", "effects": [{"kind": "delay", "values": {"time": 300}}]}
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from midipool.effects import rtjam
from midipool.effects.board import Board, Effect
from midipool.effects.parameters import Value
from midipool.errors import InvalidValue

FORMAT = 1
MOST_BYTES = 1 << 20
MOST_NAME = 64


class Saved(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An effect of a preset."""

    kind: str
    bypass: bool = False
    values: Mapping[str, Value] = {}


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """A board that is kept, with its name."""

    midipool_effects: int = FORMAT
    name: str = ""
    effects: tuple[Saved, ...] = ()


def preset_of(name: str, board: Board) -> Preset:
    """A board under a name; raises InvalidValue."""
    saved = tuple(Saved(e.kind, e.bypass, e.values) for e in board.effects)
    return Preset(name=check_preset_name(name), effects=saved)


def board_of(preset: Preset, first_id: int) -> Board:
    """A preset as a board, with ids from `first_id` on; raises InvalidValue."""
    if preset.midipool_effects != FORMAT:
        rule = f"must be {FORMAT}, not {preset.midipool_effects}: a newer midiPool wrote it"
        raise InvalidValue("midipool_effects", rule)
    return Board(
        tuple(
            Effect(id=id, kind=saved.kind, bypass=saved.bypass, values=saved.values)
            for id, saved in enumerate(preset.effects, first_id)
        )
    )


def to_json(preset: Preset) -> bytes:
    """What is written."""
    return msgspec.json.format(msgspec.json.encode(preset), indent=2) + b"\n"


def from_json(data: bytes) -> tuple[Preset, list[str]]:
    """A preset, ours or RTJam's, and what of it could not be taken over; raises InvalidValue."""
    if len(data) > MOST_BYTES:
        raise InvalidValue("preset", f"is longer than {MOST_BYTES} bytes")
    try:
        said: Any = msgspec.json.decode(data)
        if isinstance(said, dict) and "config" in said and "midipool_effects" not in said:
            name, effects, notes = rtjam.read(said)
            saved = tuple(Saved(kind, bypass, values) for kind, bypass, values in effects)
            preset = Preset(name=name[:MOST_NAME], effects=saved)
        else:
            preset, notes = msgspec.convert(said, Preset), []
            if "midipool_effects" not in said:
                raise InvalidValue("preset", "is neither midiPool's nor RTJam's: no such fields")
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidValue("preset", f"is no preset: {error}") from None
    board_of(preset, 1)
    return preset, notes


def check_preset_name(name: str) -> str:
    """A name for a preset, which is a file's too; raises InvalidValue."""
    plain = name.strip()
    bad = not plain or len(plain) > MOST_NAME or plain.startswith(".")
    if bad or any(c in '/\\:*?"<>|' or not c.isprintable() for c in plain):
        rule = f'must be 1 to {MOST_NAME} characters, none of / \\ : * ? " < > |, no dot in front'
        raise InvalidValue("name", rule)
    return plain
