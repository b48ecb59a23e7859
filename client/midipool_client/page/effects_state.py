"""What a page shows of effects: kinds, boards, and how they do. Pure."""

from collections.abc import Mapping

import msgspec

from midipool.effects.board import PLACES, Boards
from midipool.effects.kinds import KINDS
from midipool.effects.parameters import Choice, Number, Value

TITLES = {"own": "all channels", "master": "what you hear"}


class Knob(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set of a kind: a number, one of `choices`, or a text."""

    name: str
    default: Value
    least: float | None = None
    most: float | None = None
    step: float | None = None
    unit: str = ""
    choices: list[str] = []


class KindView(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of effect."""

    id: str
    title: str
    group: str
    knobs: list[Knob]


class EffectKinds(msgspec.Struct, frozen=True, kw_only=True):
    """All kinds of effects; always the same."""

    kinds: list[KindView] = []


class EffectView(msgspec.Struct, frozen=True, kw_only=True):
    """An effect of a board."""

    id: int
    name: str
    """`own/delay/2`: the board, the kind, and which of these it is from the left."""
    kind: str
    bypass: bool
    values: Mapping[str, Value]
    problem: str = ""
    """Why it is not heard; empty while it is."""
    found: Mapping[str, float] = {}
    """What else a plug-in lets be set, from 0 to 1, as it is."""


class BoardView(msgspec.Struct, frozen=True, kw_only=True):
    """A board, which may be empty."""

    board: str
    """As requests name it."""
    title: str
    effects: list[EffectView]


class EffectsPart(msgspec.Struct, frozen=True, kw_only=True):
    """Boards and presets."""

    available: bool = False
    problem: str = ""
    """Why there are no effects, or why they are not kept."""
    boards: list[BoardView] = []
    presets: list[str] = []
    shared: list[str] = []
    """What members shared by the chat."""
    channels: int = 0
    """Own ones, which a tuner can listen to."""
    tuner: int = 0
    """The one that it does; 0 is none."""


class EffectsNow(msgspec.Struct, frozen=True, kw_only=True):
    """How effects do now."""

    running: bool = False
    load: float = 0.0
    """The part of a period that they take, in the mean."""
    late: int = 0
    """Blocks that were played without effects, because they were not ready in time."""
    own_later_ms: float = 0.0
    master_later_ms: float = 0.0
    """By so much sound is later than without."""
    hz: float = 0.0
    """What the tuner hears; 0 is no note."""
    note: str = ""
    cents: float = 0.0


def kinds_view() -> EffectKinds:
    """The table of kinds."""
    return EffectKinds(
        kinds=[
            KindView(
                id=kind.id,
                title=kind.title,
                group=kind.group,
                knobs=[_knob(parameter) for parameter in kind.parameters],
            )
            for kind in KINDS.values()
        ]
    )


def _knob(parameter: object) -> Knob:
    match parameter:
        case Number(name, default, least, most, unit, step):
            return Knob(name=name, default=default, least=least, most=most, step=step, unit=unit)
        case Choice(name, default, choices):
            return Knob(name=name, default=default, choices=list(choices))
        case _:
            return Knob(name=parameter.name, default="")  # type: ignore[attr-defined]


def board_title(place: str) -> str:
    """What a board is on."""
    return TITLES.get(place, f"channel {place}")


def places(channels: int) -> list[str]:
    """Where boards can be, with so many own channels."""
    return [place for place in PLACES if not place.isdigit() or int(place) <= channels]


def effects_of(
    boards: Boards,
    place: str,
    problem_of: Mapping[int, str],
    found: Mapping[int, Mapping[str, float]],
) -> list[EffectView]:
    """The effects of a board, with all values."""
    return [
        EffectView(
            id=effect.id,
            name=boards.name_of(effect.id),
            kind=effect.kind,
            bypass=effect.bypass,
            values=effect.all_values,
            problem=problem_of.get(effect.id, ""),
            found=found.get(effect.id, {}),
        )
        for effect in boards.board(place).effects
    ]
