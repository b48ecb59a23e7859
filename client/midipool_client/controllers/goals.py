"""What a learned controller does: asks for a request of the page, whose field it moves. Pure."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec
from msgspec import inspect as types

from midipool.errors import InvalidMessage, InvalidValue
from midipool_client.controllers.law import FADER, Law, evenly
from midipool_client.controllers.target import Target
from midipool_client.page.learn_requests import LearnRequest
from midipool_client.page.messages import Leave, WayInRequest, decode
from midipool_client.page.words import Field, RequestWord, request_words

LEVEL_HOWS = ("pickup", "jump", "relative", "relative-offset", "relative-sign")
SWITCH_HOWS = ("toggle", "hold")
# What depends on how things stand: tap the tempo; start or stop; begin or end a recording.
GESTURES = {"tap": "tempo", "play": "start", "record": "record_start"}
# Like `set_…`, these say how something is to be.
SETTING = ("tempo", "switch_click", "bypass_effect")
NOT_LEARNED = get_args(LearnRequest | WayInRequest | Leave)
TAGS = {word.tag: word for word in request_words().values() if word.struct not in NOT_LEARNED}


@dataclass(frozen=True, slots=True)
class Goal:
    """A target that makes sense: `law` for a level; else a switch, a press or a gesture."""

    kind: Literal["level", "switch", "press", "gesture"]
    target: Target
    how: str
    law: Law | None = None

    @property
    def tag(self) -> str:
        """The request's type, or the gesture."""
        return str(self.target.request["type"])

    def request(self, value: float | bool | None = None) -> dict[str, Any]:
        """What is asked for."""
        outer, _, inner = self.target.field.partition(".")
        moved: dict[str, Any] = {}
        if value is not None:
            moved = {outer: {inner: value} if inner else value}
        return {**self.target.request, **moved, "id": 1}


def goal_of(target: Target) -> Goal:
    """What it means; raises InvalidValue, which says why it cannot be learned."""
    tag = target.request.get("type")
    if tag in GESTURES and GESTURES[str(tag)] in TAGS:
        _allow(target, ("auto",), f"of {tag}")
        return Goal("gesture", target, "")
    word = TAGS.get(str(tag))
    if word is None:
        raise InvalidValue("request", f"{tag!r} is nothing that a controller can do")
    field = _field_of(word, target)
    if field is None:
        _allow(target, ("auto",), "of what is only pressed")
        return _checked(Goal("press", target, ""))
    named = msgspec.structs.replace(target, field=field.name, request=_without(target, field.name))
    if field.is_switch:
        _allow(target, ("auto", *SWITCH_HOWS), "of a switch")
        how = "toggle" if target.how == "auto" else target.how
        return _checked(Goal("switch", named, how), True)
    _allow(target, ("auto", *LEVEL_HOWS), "of a level")
    law = _law_of(field, named)
    how = "pickup" if target.how == "auto" else target.how
    goal = Goal("level", named, how, law)
    return _checked(_checked(goal, law.value(0.0)), law.value(1.0))


def _allow(target: Target, hows: tuple[str, ...], what: str) -> None:
    if target.how not in hows:
        raise InvalidValue("how", f"{what} must be one of {', '.join(hows)}, not {target.how}")


def _without(target: Target, field: str) -> dict[str, Any]:
    moves = ("id", field.partition(".")[0])
    return {name: value for name, value in target.request.items() if name not in moves}


def _field_of(word: RequestWord, target: Target) -> Field | None:
    """The one that was said; else the one that lacks; else what the request itself sets last."""
    if target.field:
        field = word.field(target.field) or _inside(word, target.field)
        if field is None:
            names = ", ".join(f.name for f in word.fields) or "none"
            raise InvalidValue("field", f"{word.tag} has no {target.field}; it has: {names}")
        return field
    lacking = [field for field in word.required if field.name not in target.request]
    if lacking:
        return lacking[-1]
    given = [f for f in word.fields if f.name in target.request and f.can_move]
    if word.tag.startswith("set_") or word.tag in SETTING:
        return given[-1] if given else None
    return None


def _inside(word: RequestWord, name: str) -> Field | None:
    """A value of an effect, say, which is a field of one of the request's fields."""
    outer, _, inner = name.rpartition(".")
    for field in word.fields:
        if isinstance(field.plain, types.DictType) and outer in ("", field.name):
            return Field(f"{field.name}.{inner}", types.FloatType(), False)
    return None


def _law_of(field: Field, target: Target) -> Law:
    plain = field.plain
    if not isinstance(plain, types.FloatType | types.IntType):
        raise InvalidValue("field", f"{field.name} is no level and no switch")
    given = (target.low, target.high)
    if given == (None, None) and field.name.endswith("_db"):
        return Law(FADER)
    low = plain.ge if target.low is None else target.low
    high = plain.le if target.high is None else target.high
    if low is None or high is None or low == high:
        raise InvalidValue("field", f"{field.name} has no ends: say from where to where")
    return evenly(low, high, isinstance(plain, types.IntType))


def _checked(goal: Goal, value: float | bool | None = None) -> Goal:
    """The goal, if the client takes what it asks for."""
    try:
        decode(msgspec.json.encode(goal.request(value)).decode())
    except InvalidMessage as error:
        raise InvalidValue(error.field or "request", error.text) from None
    return goal
