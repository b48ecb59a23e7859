"""Boards of effects: immutable; each change makes another one, or says why it cannot be. Pure."""

from collections.abc import Iterable, Mapping

import msgspec

from midipool.effects.kinds import MOST_PLUGIN_VALUES, Kind, kind_of
from midipool.effects.parameters import Value
from midipool.errors import InvalidValue

MOST_EFFECTS = 24
# Where a board can be: on one of the own channels, on all of them together, on what is heard.
PLACES = ("1", "2", "3", "4", "own", "master")


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One effect of a board; raises InvalidValue when it breaks a rule."""

    id: int
    """Told apart by it, also from those of other boards, wherever it is moved to."""
    kind: str
    bypass: bool = False
    values: Mapping[str, Value] = {}
    """What is set; the rest is as by default."""

    def __post_init__(self) -> None:
        kind = self.spec
        for name, value in self.values.items():
            kind.check(name, value)
        if len(self.values) > MOST_PLUGIN_VALUES:
            raise InvalidValue("values", f"must be {MOST_PLUGIN_VALUES} at most")

    @property
    def spec(self) -> Kind:
        """What can be set of it."""
        return kind_of(self.kind)

    @property
    def all_values(self) -> dict[str, Value]:
        """With the defaults."""
        return self.spec.with_defaults(self.values)


class Board(msgspec.Struct, frozen=True):
    """Effects in the order in which sound passes them; raises InvalidValue."""

    effects: tuple[Effect, ...] = ()

    def __post_init__(self) -> None:
        if len(self.effects) > MOST_EFFECTS:
            raise InvalidValue("effects", f"must be {MOST_EFFECTS} at most on a board")

    @property
    def active(self) -> tuple[Effect, ...]:
        """Those that are not bypassed."""
        return tuple(effect for effect in self.effects if not effect.bypass)

    def effect(self, id: int) -> Effect:
        """One of them; raises InvalidValue."""
        for effect in self.effects:
            if effect.id == id:
                return effect
        raise InvalidValue("effect", f"{id} is not on this board")

    def at(self, position: int) -> Effect:
        """The first one is at 1; raises InvalidValue."""
        if not 1 <= position <= len(self.effects):
            there = f"1 to {len(self.effects)}" if self.effects else "none"
            raise InvalidValue("position", f"there is no effect {position}, but {there}")
        return self.effects[position - 1]

    def with_added(self, effect: Effect, position: int | None = None) -> "Board":
        """It comes to this position, or last."""
        end = len(self.effects) + 1
        place = _position(end if position is None else position, end)
        return Board((*self.effects[:place], effect, *self.effects[place:]))

    def without(self, id: int) -> "Board":
        """It is gone."""
        gone = self.effect(id)
        return Board(tuple(effect for effect in self.effects if effect is not gone))

    def with_moved(self, id: int, position: int) -> "Board":
        """It is at this position, the others in order around it."""
        moved = self.effect(id)
        others = self.without(id).effects
        place = _position(position, len(self.effects))
        return Board((*others[:place], moved, *others[place:]))

    def with_bypass(self, id: int, bypass: bool) -> "Board":
        """It is passed by, or not."""
        return self._with(self.effect(id), bypass=bypass)

    def with_values(self, id: int, values: Mapping[str, Value]) -> "Board":
        """These are set."""
        effect = self.effect(id)
        checked = {name: effect.spec.check(name, value) for name, value in values.items()}
        return self._with(effect, values={**effect.values, **checked})

    def _with(self, effect: Effect, **changes: object) -> "Board":
        changed = msgspec.structs.replace(effect, **changes)
        return Board(tuple(changed if other is effect else other for other in self.effects))


class Boards(msgspec.Struct, frozen=True):
    """All boards of a player, by where they are; raises InvalidValue."""

    boards: Mapping[str, Board] = {}

    def __post_init__(self) -> None:
        for place in self.boards:
            check_place(place)
        ids = [effect.id for effect in self.all_effects()]
        if len(set(ids)) != len(ids):
            raise InvalidValue("id", "is there twice")

    def board(self, place: str) -> Board:
        """One of them, which may be empty; raises InvalidValue."""
        return self.boards.get(check_place(place), Board())

    def with_board(self, place: str, board: Board) -> "Boards":
        """Another one in this place."""
        check_place(place)
        kept = {name: self.board(name) for name in PLACES if name != place}
        changed = {name: b for name, b in {**kept, place: board}.items() if b.effects}
        return Boards(changed)

    def all_effects(self) -> Iterable[Effect]:
        """Those of all boards."""
        return (effect for board in self.boards.values() for effect in board.effects)

    def place_of(self, id: int) -> str:
        """Where an effect is; raises InvalidValue."""
        for place, board in self.boards.items():
            if any(effect.id == id for effect in board.effects):
                return place
        raise InvalidValue("effect", f"there is no effect {id} on any board")

    def name_of(self, id: int) -> str:
        """`own/delay/2`: the board, the kind, and which of these it is; raises InvalidValue.

        The first is `own/delay`. Other boards that are loaded there have the same names.
        """
        place = self.place_of(id)
        effects = self.board(place).effects
        kind = next(effect.kind for effect in effects if effect.id == id)
        alike = [effect.id for effect in effects if effect.kind == kind]
        number = alike.index(id) + 1
        return f"{place}/{kind}" + (f"/{number}" if number > 1 else "")

    def id_of(self, name: str) -> int:
        """Whose name that is; raises InvalidValue."""
        place, _, rest = name.partition("/")
        kind, _, number = rest.partition("/")
        alike = [e.id for e in self.board(place).effects if e.kind == kind]
        if not (number or "1").isdecimal() or not 1 <= int(number or 1) <= len(alike):
            raise InvalidValue("effect", f"there is no {name} on any board")
        return alike[int(number or 1) - 1]

    @property
    def next_id(self) -> int:
        """One that no effect has."""
        return max((effect.id for effect in self.all_effects()), default=0) + 1


def check_place(place: str) -> str:
    """Where a board can be; raises InvalidValue."""
    if place not in PLACES:
        rule = f"must be 1 to 4 (an own channel), own (all of them) or master, not {place}"
        raise InvalidValue("board", rule)
    return place


def _position(position: int, end: int) -> int:
    if not 1 <= position <= end:
        raise InvalidValue("position", f"must be 1 to {end}, not {position}")
    return position - 1
