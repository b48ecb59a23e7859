"""What a request's field is now, as the page's state has it. Pure."""

from typing import Any

import msgspec

from midipool.errors import InvalidValue
from midipool_client.controllers.target import Target
from midipool_client.page.effects_state import EffectView, Knob
from midipool_client.page.state import State

_UNKNOWN = "unknown"


def current(state: State, request: dict[str, Any], field: str) -> float | bool | None:
    """The value; None where the state does not tell. A level that is off is as low as it can be."""
    value = _found(state, request, field)
    if value is None and field.endswith("_db"):
        return -90.0
    return value if isinstance(value, bool | int | float) else None


def plays(state: State) -> bool:
    """Whether the song does, or will when all that was agreed upon has happened."""
    timelines = state.transport.timelines
    return bool(timelines) and timelines[-1].playing


def records(state: State) -> bool:
    """Whether something is recorded."""
    return state.recording.now is not None


def as_learned(state: State, target: Target) -> Target:
    """The target, with the ends of an effect's value where it says none, and the effect's name:
    its number is another one as soon as a preset is loaded.

    Raises InvalidValue when there is no such effect.
    """
    said = target.request.get("effect")
    if said is None:
        return target
    effect = _effect(state, said)
    if effect is None:
        raise InvalidValue("effect", f"there is no effect {said}: see `ctl state effects`")
    named = {**target.request, "effect": effect.name}
    return _with_ends(state, msgspec.structs.replace(target, request=named), effect)


def _with_ends(state: State, target: Target, effect: EffectView) -> Target:
    if target.request.get("type") != "set_effect":
        return target
    name, given = inner_of(target.field), target.request.get("values")
    if not name and isinstance(given, dict) and len(given) == 1:
        (name,) = given
    knob = _knob(state, effect, name)
    if knob is None or knob.least is None or knob.most is None:
        return target
    low = knob.least if target.low is None else target.low
    high = knob.most if target.high is None else target.high
    return msgspec.structs.replace(target, field=f"values.{name}", low=low, high=high)


def inner_of(field: str) -> str:
    """`drive` of `values.drive`, or of `drive`."""
    return field.removeprefix("values.")


def _effect(state: State, said: object) -> EffectView | None:
    """By its number or its name."""
    every = (effect for board in state.effects.boards for effect in board.effects)
    name = said.removesuffix("/1") if isinstance(said, str) else said
    return next((effect for effect in every if name in (effect.id, effect.name)), None)


def _knob(state: State, effect: EffectView, name: str) -> Knob | None:
    kinds = (kind for kind in state.effect_kinds.kinds if kind.id == effect.kind)
    return next((knob for kind in kinds for knob in kind.knobs if knob.name == name), None)


def _found(state: State, request: dict[str, Any], field: str) -> Any:
    listening, mix = state.mixer.listening, state.mixer.listening.mix
    match request:
        case {"type": "set_strip", "member": str(member)}:
            return getattr(mix.strip_of(member), field, _UNKNOWN)
        case {"type": "set_channel", "channel": int(number)}:
            pan = (c.pan for c in state.mixer.channels if field == "pan" and c.channel == number)
            return next(pan, getattr(mix.channel(number), field, _UNKNOWN))
        case {"type": "switch_click"}:
            clicks, port = state.mixer.clicks, request.get("port", 1)
            return clicks[port - 1].on if 0 < port <= len(clicks) else _UNKNOWN
        case {"type": "set_mix"}:
            return getattr(mix, field, _UNKNOWN)
        case {"type": "set_listening"}:
            return getattr(listening, field, _UNKNOWN)
        case {"type": "set_click"}:
            return getattr(state.mixer, f"click_{field}", _UNKNOWN)
        case {"type": "bypass_effect" | "set_effect", "effect": said}:
            effect = _effect(state, said)
            if effect is None:
                return _UNKNOWN
            return effect.bypass if field == "bypass" else effect.values.get(inner_of(field))
        case {"type": "tempo"} if state.transport.timelines:
            return state.transport.timelines[-1].mbpm / 1000
    return _UNKNOWN
