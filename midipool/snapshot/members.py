"""What a member's own client adds: its mix and its effects. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from midipool.audio.strips import Mix
from midipool.effects import board
from midipool.effects.board import MOST_EFFECTS, Board, Boards
from midipool.effects.kinds import MOST_PLUGIN_VALUES, kind_of
from midipool.effects.parameters import Text, Value
from midipool.errors import InvalidValue
from midipool.snapshot.fields import convert

MAX_PART_BYTES = 32 * 1024
_Short = Annotated[str, Meta(max_length=128)]


class Effect(msgspec.Struct, frozen=True):
    """An effect of a board; raises InvalidValue."""

    kind: _Short
    bypass: bool = False
    values: Mapping[_Short, Value] = {}

    def __post_init__(self) -> None:
        if len(self.values) > MOST_PLUGIN_VALUES:
            raise InvalidValue("values", f"must be {MOST_PLUGIN_VALUES} at most")
        spec = kind_of(self.kind)
        for name, value in self.values.items():
            spec.check(name, value)

    @property
    def files(self) -> frozenset[str]:
        """Files of the player's that it names."""
        named = {p.name for p in kind_of(self.kind).parameters if isinstance(p, Text)}
        return frozenset(str(v) for n, v in self.values.items() if n in named and v)


_Effects = Annotated[list[Effect], Meta(max_length=MOST_EFFECTS)]
BoardPlace = Literal["1", "2", "3", "4", "own", "master"]
Effects = Mapping[BoardPlace, _Effects]
"""By where the board is: `1` to `4` (an own channel), `own`, `master`."""


class MemberPart(msgspec.Struct, frozen=True, kw_only=True):
    """How a member hears the room, and its effects; None is not touched."""

    mix: Mix | None = None
    effects: Effects | None = None


def effects_of(boards: Boards) -> Effects:
    """A player's boards."""
    return {
        cast(BoardPlace, place): [Effect(e.kind, e.bypass, e.values) for e in one.effects]
        for place, one in boards.boards.items()
    }


def boards_of(effects: Effects, files: frozenset[str]) -> Boards:
    """Boards again, with new ids; an effect that names another file than `files` is left out."""
    boards, next_id = Boards(), 1
    for place, said in effects.items():
        kept = [effect for effect in said if effect.files <= files]
        made = [
            board.Effect(id=id, kind=effect.kind, bypass=effect.bypass, values=effect.values)
            for id, effect in enumerate(kept, next_id)
        ]
        next_id += len(made)
        boards = boards.with_board(place, Board(tuple(made)))
    return boards


def files_of(effects: Effects) -> frozenset[str]:
    """All files that effects name."""
    return frozenset(f for said in effects.values() for effect in said for f in effect.files)


def encode_part(part: MemberPart) -> bytes:
    """JSON, for a message; without effects, or nothing, where it would be too long."""
    for tried in (part, MemberPart(mix=part.mix), MemberPart()):
        data = msgspec.json.encode(tried)
        if len(data) <= MAX_PART_BYTES:
            return data
    raise AssertionError("nothing is short")


def decode_part(data: bytes) -> MemberPart:
    """A part again; raises InvalidValue."""
    try:
        said: Any = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidValue("data", f"is no member's part: {error}") from None
    return convert(said, MemberPart)
