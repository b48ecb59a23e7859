"""The page's requests as a shell types them: made of the messages, so new ones come along. Pure."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import msgspec
from msgspec import inspect as types

from midipool.errors import InvalidValue
from midipool.meter import Loop, Meter, Position, parse_meter, parse_position
from midipool_client.page.messages import FromPage

UNITS = ("_db", "_ms", "_us", "_gb", "_hz")
# What the client knows itself: of the running vote, which one it is.
KNOWN = frozenset({("ballot", "vote")})
ON, OFF, NONE = ("on", "yes", "true"), ("off", "no", "false"), ("none", "off", "null")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request."""

    name: str
    type: types.Type
    required: bool

    @property
    def options(self) -> list[str]:
        """How it is called as an option: in whole, and without its unit."""
        short = next((self.name.removesuffix(u) for u in UNITS if self.name.endswith(u)), self.name)
        return [f"--{name.replace('_', '-')}" for name in dict.fromkeys((self.name, short))]

    @property
    def plain(self) -> types.Type:
        """What it is when it is something."""
        return _plain(self.type)

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off."""
        return isinstance(self.plain, types.BoolType)

    @property
    def can_move(self) -> bool:
        """Whether a controller can set it by where it stands."""
        return self.is_switch or isinstance(self.plain, types.FloatType)

    @property
    def has_names(self) -> bool:
        """Whether it holds values by their names."""
        return isinstance(self.plain, types.DictType)

    @property
    def rule(self) -> str:
        """What may be given, for people."""
        return _rule(self.plain)

    def parsed(self, text: str) -> Any:
        """Its value; raises InvalidValue."""
        return _parsed(_alternatives(self.type), self.name, text)


@dataclass(frozen=True, slots=True)
class RequestWord:
    """A request: `set_strip` is `strip`."""

    word: str
    tag: str
    struct: type[msgspec.Struct]
    about: str
    fields: tuple[Field, ...]

    @property
    def required(self) -> list[Field]:
        """What must be said, in order."""
        return [field for field in self.fields if field.required]

    @property
    def optional(self) -> list[Field]:
        """What may be said."""
        return [field for field in self.fields if not field.required]

    def field(self, name: str) -> Field | None:
        """The one that is called so, with its unit or without, with dashes or without."""
        wanted = "--" + name.replace("_", "-")
        return next((field for field in self.fields if wanted in field.options), None)


def request_words(reserved: Sequence[str] = ()) -> dict[str, RequestWord]:
    """All requests by their words; where a short one is taken, its whole tag is the word."""
    found: dict[str, RequestWord] = {}
    for struct in get_args(FromPage):
        info = types.type_info(struct)
        assert isinstance(info, types.StructType)
        tag = str(info.tag)
        word = tag.removeprefix("set_").replace("_", "-")
        if word in found or word in reserved:
            word = tag.replace("_", "-")
        if word in reserved:
            continue
        about = inspect.cleandoc(struct.__doc__ or "").replace("\n", " ")
        fields = tuple(
            Field(f.name, f.type, f.required and (tag, f.name) not in KNOWN)
            for f in info.fields
            if f.name != "id"
        )
        found[word] = RequestWord(word, tag, struct, about, fields)
    return found


def request_of(word: RequestWord, texts: Mapping[str, str]) -> dict[str, Any]:
    """The request as JSON has it, of its fields' texts; raises InvalidValue."""
    given = {f.name: f.parsed(texts[f.name]) for f in word.fields if f.name in texts}
    return {"type": word.tag, **given}


def loop_of(text: str) -> Loop:
    """Read `5-9`: bars 5 to 8 repeat. Raises InvalidValue."""
    start, _, end = text.replace(":", "-").partition("-")
    if not (start.isdecimal() and end.isdecimal()):
        raise InvalidValue("loop", f"{text!r} is not a loop such as 5-9, nor off")
    return Loop(int(start), int(end))


_STRUCTS: Mapping[type, Callable[[str], Any]] = {
    Position: parse_position,
    Meter: parse_meter,
    Loop: loop_of,
}
_STRUCT_RULES: Mapping[type, str] = {Position: "17 or 17.3", Meter: "7/8", Loop: "5-9"}


def _alternatives(type: types.Type) -> list[types.Type]:
    """What a value may be, without what only stands for its absence."""
    match type:
        case types.Metadata(type=inner):
            return _alternatives(inner)
        case types.UnionType(types=several):
            return [one for part in several for one in _alternatives(part)]
        case types.CustomType(cls=cls) if cls is msgspec.UnsetType:
            return []
    return [type]


def _plain(type: types.Type) -> types.Type:
    """What it is when it is something."""
    several = _alternatives(type)
    return next((one for one in several if not isinstance(one, types.NoneType)), several[0])


def _parsed(several: Sequence[types.Type], name: str, text: str) -> Any:
    if any(isinstance(one, types.NoneType) for one in several) and text.lower() in NONE:
        return None
    plain = next(one for one in several if not isinstance(one, types.NoneType))
    match plain:
        case types.BoolType():
            if text.lower() not in (*ON, *OFF):
                raise InvalidValue(name, f"must be on or off, not {text!r}")
            return text.lower() in ON
        case types.IntType() if not _is_number(text) and _takes_text(several):
            return text
        case types.IntType() | types.FloatType():
            return _number(plain, name, text)
        case types.StrType() | types.LiteralType() | types.EnumType():
            return text
        case types.StructType(cls=cls) if cls in _STRUCTS:
            return msgspec.to_builtins(_STRUCTS[cls](text))
        case types.ListType(item_type=item) | types.VarTupleType(item_type=item) if (
            not text.startswith("[")
        ):
            return [_parsed(_alternatives(item), name, part) for part in text.split(",") if part]
        case types.DictType() if not text.startswith("{"):
            return dict(_named(name, part) for part in text.split(",") if part)
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise InvalidValue(name, f"must be JSON, not {text!r}") from None


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _takes_text(several: Sequence[types.Type]) -> bool:
    return any(isinstance(one, types.StrType) for one in several)


def _named(name: str, text: str) -> tuple[str, Any]:
    """`drive=0.5`."""
    key, is_said, value = text.partition("=")
    if not is_said:
        raise InvalidValue(name, f"must be NAME=VALUE, several with commas, not {text!r}")
    try:
        return key, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return key, value


def _number(type: types.IntType | types.FloatType, name: str, text: str) -> float:
    if isinstance(type, types.FloatType) and text in ("-inf", "inf"):
        bound = type.ge if text == "-inf" else type.le
        if bound is not None:
            return float(bound)
    try:
        return int(text) if isinstance(type, types.IntType) else float(text)
    except ValueError:
        kind = "whole number" if isinstance(type, types.IntType) else "number"
        raise InvalidValue(name, f"must be a {kind}, not {text!r}") from None


def _rule(type: types.Type) -> str:
    match type:
        case types.BoolType():
            return "on or off"
        case types.LiteralType(values=values):
            return ", ".join(map(str, values))
        case types.IntType(ge=low, le=high) | types.FloatType(ge=low, le=high):
            return f"{low:g} to {high:g}" if low is not None and high is not None else "number"
        case types.StructType(cls=cls):
            return _STRUCT_RULES.get(cls, "JSON")
        case types.ListType() | types.VarTupleType():
            return "several with commas"
        case types.DictType():
            return "NAME=VALUE, several with commas"
    return "text"
