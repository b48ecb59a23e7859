"""Boards and their effects, for people."""

from collections.abc import Iterator

from midipool.effects.board import PLACES, Effect
from midipool.effects.kinds import KINDS
from midipool.effects.parameters import Choice, Number, Parameter, Text
from midipool_client.effects.messages import Pitch
from midipool_client.effects.rack import Rack

TITLES = {"own": "all own channels", "master": "master"}


def title_of(place: str) -> str:
    """What a board is on."""
    return TITLES.get(place, f"own channel {place}")


def rack_in_words(rack: Rack) -> str:
    """All boards, and how they do."""
    lines = [line for place in PLACES for line in board_in_words(rack, place, if_any=True)]
    if not lines:
        return "no effects: add one with `midipool-client effects add own KIND`"
    return "\n".join([*lines, *_state(rack)])


def board_in_words(rack: Rack, place: str, if_any: bool = False) -> Iterator[str]:
    """One board, a line for each effect."""
    board = rack.boards.board(place)
    if board.effects or not if_any:
        yield f"{title_of(place)}:" + ("" if board.effects else " no effects")
    for position, effect in enumerate(board.effects, 1):
        yield f"  {position}  {effect_in_words(effect)}"
        if problem := rack.problem_of(effect.id):
            yield f"     {problem}"
        found = {} if rack.status is None else rack.status.found.get(effect.id, {})
        if found.keys() - effect.values.keys():
            more = [f"{n} {_value(v)}" for n, v in found.items() if n not in effect.values]
            yield f"     also, from 0 to 1: {', '.join(more)}"


def effect_in_words(effect: Effect) -> str:
    """Its title and values."""
    named = {p.name: p for p in effect.spec.parameters}
    values = [
        f"{name} {_value(value)}{_unit(named.get(name))}"
        for name, value in effect.all_values.items()
        if value != ""
    ]
    return f"{effect.spec.title}{' (bypassed)' if effect.bypass else ''}: {', '.join(values)}"


def _state(rack: Rack) -> Iterator[str]:
    if rack.problem:
        yield rack.problem
    for title, insert in zip(("own channels", "master"), rack.inserts, strict=False):
        if insert.inserted:
            yield f"{title}: {insert.older_frames} frames later than without effects"
    status = rack.status
    if status is not None:
        load = f"load {status.load:.1%} of a period, at most {status.most_load:.0%}"
        yield f"{load}; effects late {rack.late}"
    if rack.not_saved:
        yield f"not kept for the next time: {rack.not_saved}"


def kinds_in_words() -> Iterator[str]:
    """All kinds with what can be set."""
    group = ""
    for kind in KINDS.values():
        if kind.group != group:
            group = kind.group
            yield f"{group}:"
        yield f"  {kind.id}  {kind.title}"
        for parameter in kind.parameters:
            yield f"      {_parameter(parameter)}"


def _parameter(parameter: Parameter) -> str:
    match parameter:
        case Number():
            ends = f"{parameter.least:g} to {parameter.most:g}{_unit(parameter)}"
            return f"{parameter.name}  {ends} ({parameter.default:g})"
        case Choice():
            return f"{parameter.name}  {' | '.join(parameter.choices)} ({parameter.default})"
        case Text():
            return f"{parameter.name}  a path or a name"


def _unit(parameter: Parameter | None) -> str:
    return f" {parameter.unit}" if isinstance(parameter, Number) and parameter.unit else ""


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def pitch_in_words(pitch: Pitch) -> str:
    """A tuner's needle."""
    if not pitch.hz:
        return "no note"
    return f"{pitch.note} {pitch.cents:+.1f} cents ({pitch.hz:.2f} Hz)"
