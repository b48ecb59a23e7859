"""Messages made from their own declaration, by chance: valid by the schema, and not quite. Pure.

They are dictionaries as JSON has them, so that also what no struct takes can be said.
"""

import functools
import random
import string
import typing
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
from msgspec import inspect

from midipool.messages import Ban, ClientMessage, Hello, Kick, SetDoor, SetMode, SetPassword
from midipool.messages.graph import GroupName
from midipool.messages.midi import MidiHex

TYPES: tuple[type[msgspec.Struct], ...] = typing.get_args(ClientMessage)
SEEDED_NAMES = ("anna", "bert", "carl", "dora", "Jürgen & Søn", "鼓手 1", "🥁")
GROUPS = ("@rhythm", "@all", "@click", "@a")
SELECTORS = {"source", "target", "member", "name", "leader", "locked_by", "sources", "members"}
OPTIONS = ("beats", "tape", "speed")
MIDI = ("903c40", "803c00", "b04001", "e00040", "c005", "d040", "f07e7f0601f7")
WEIRD: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    2**53,
    2**64,
    -(2**70),
    1e308,
    "",
    "x" * 300,
    "\x00",
    "a\u2028b",
    [],
    {},
    [[]],
    {"a": 1},
)
RARE = {SetPassword: 0.01, SetMode: 0.1, SetDoor: 0.1, Kick: 0.3, Ban: 0.1}
"""A password costs the server 50 ms by itself, on purpose; the others end much at once."""


class Maker:
    """Makes messages; `known` says what is in the room, so that some of it is meant."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.known: dict[str, list[object]] = {}
        """By field: values that mean something now."""
        self._weights = [RARE.get(cls, 1.0) for cls in TYPES]
        self._made: dict[type, Callable[[], Any]] = {}

    def any(self) -> dict[str, Any]:
        """A message of any type but `hello`, valid by the schema."""
        while (cls := self._chance.choices(TYPES, self._weights)[0]) is Hello:
            pass
        return self.of(cls)

    def of(self, cls: type[msgspec.Struct]) -> dict[str, Any]:
        """One of this type."""
        return {"type": cls.__struct_config__.tag, **self._fields(_info(cls))}

    def mutated(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The same with something wrong in it, most often."""
        chance, out = self._chance, dict(message)
        keys = [key for key in out if key != "type"] or ["type"]
        key = chance.choice(keys)
        match chance.randrange(5):
            case 0:
                out.pop(key)
            case 1:
                out[chance.choice(["x", "id", "bpm", "member", "data"])] = chance.choice(WEIRD)
            case 2:
                out["type"] = chance.choice(["", "welcome", "ok", "Start", 3, None])
            case _:
                out[key] = chance.choice(WEIRD)
        return out

    # ---- inside ----

    def _fields(self, info: inspect.StructType) -> dict[str, Any]:
        made = {}
        for field in info.fields:
            if not field.required and self._chance.random() < 0.5:
                continue
            value = self._field(field)
            if value is not msgspec.UNSET:
                made[field.encode_name] = value
        return made

    def _field(self, field: inspect.Field) -> Any:
        known = self.known.get(field.name)
        if known and self._chance.random() < 0.7:
            return self._chance.choice(known)
        if field.name in SELECTORS and isinstance(_bare(field.type), inspect.StrType):
            return self._chance.choice(SEEDED_NAMES + GROUPS)
        return self._value(field.type)

    def _value(self, info: inspect.Type) -> Any:
        chance = self._chance
        match info:
            case inspect.Metadata(type=inner):
                return self._value(inner)
            case inspect.StructType() if info.array_like:
                return [self._value(field.type) for field in info.fields]
            case inspect.StructType():
                return self._fields(info)
            case inspect.UnionType(types=types):
                return self._value(chance.choice(types))
            case inspect.CustomType():
                return msgspec.UNSET
            case inspect.ListType(item_type=item, min_length=low, max_length=high):
                count = chance.randint(low or 0, min(high or 3, 3))
                return [self._value(item) for _ in range(count)]
            case inspect.DictType(value_type=value):
                return {name: self._value(value) for name in chance.sample(OPTIONS, k=2)}
            case inspect.VarTupleType(item_type=item, max_length=high):
                return [self._value(item) for _ in range(chance.randint(0, min(high or 3, 3)))]
            case inspect.LiteralType(values=values):
                return chance.choice(values)
            case inspect.BoolType():
                return chance.random() < 0.5
            case inspect.BytesType():
                return msgspec.to_builtins(chance.choice([b"{}", b"[", chance.randbytes(20)]))
            case inspect.NoneType():
                return None
            case inspect.IntType(ge=low_int, le=high_int):
                return self._integer(low_int, high_int)
            case inspect.FloatType(ge=low_float, le=high_float):
                low_f = -1e3 if low_float is None else low_float
                return chance.uniform(low_f, 1e3 if high_float is None else high_float)
            case inspect.StrType():
                return self._text(info)
        raise NotImplementedError(str(info))

    def _integer(self, low: int | None, high: int | None) -> int:
        least = -(2**63) if low is None else low
        most = 2**63 - 1 if high is None else high
        if self._chance.random() < 0.7:  # such as people ask for
            return min(max(self._chance.randint(0, 8), least), most)
        return self._chance.choice([least, most, self._chance.randint(least, most)])

    def _text(self, info: inspect.StrType) -> str:
        chance = self._chance
        if info.pattern == _pattern(MidiHex):
            return chance.choice(MIDI)
        if info.pattern == _pattern(GroupName):
            return chance.choice(["@rhythm", "@a", "@b"])
        if info.pattern is not None and "0-9a-f" in info.pattern and "A-Z" not in info.pattern:
            return "".join(chance.choices("0123456789abcdef", k=info.max_length or 32))
        letters = string.ascii_letters + ("" if info.pattern else "äöü🥁 \n")
        length = chance.randint(max(info.min_length or 0, 1), min(info.max_length or 40, 40))
        if chance.random() < 0.3:
            return chance.choice(["/tempo 132", "/start", "/vote yes", "/help", "/song a"])[:length]
        return "".join(chance.choices(letters, k=length))


@functools.cache
def _info(cls: type[msgspec.Struct]) -> inspect.StructType:
    return cast(inspect.StructType, inspect.type_info(cls))


def _bare(info: inspect.Type) -> inspect.Type:
    while isinstance(info, inspect.Metadata):
        info = info.type
    return info


def _pattern(of: object) -> str | None:
    info = _bare(inspect.type_info(of))
    return info.pattern if isinstance(info, inspect.StrType) else None
