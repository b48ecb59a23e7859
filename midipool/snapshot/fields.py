"""Checks plain data against a type, and says exactly where it breaks which rule. Pure."""

import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from midipool.errors import InvalidValue
from midipool.messages.codec import rule_in_words

T = TypeVar("T")
Path = tuple[str | int, ...]
"""Where in a document something is: keys, and places in lists from 0."""

_WORDS = {
    "`float`": "a number",
    "`int`": "a whole number",
    "`str`": "text",
    "`bool`": "true or false",
    "`object`": "keys with values",
    "`array`": "a list",
    "`null`": "nothing",
    "Expected": "must be",
    " of length <=": ", and at most so long:",
}
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|(\[\.\.\.\])")


class BadSnapshot(InvalidValue):
    """A document breaks a rule at `path`; `at_key` when it is the key there that does."""

    def __init__(self, path: Path, rule: str, at_key: bool = False) -> None:
        super().__init__(in_words(path), printable(rule))
        self.path = path
        self.at_key = at_key


def in_words(path: Path) -> str:
    """`songs[2].tempo`, with lists counted from 1 as people do."""
    words = [f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path]
    return printable("".join(words).removeprefix(".")) or "the file"


def path_of(words: str) -> Path:
    """The path that `in_words` made these of, if none of its keys has a dot."""
    steps = re.findall(r"([^.\[\]]+)|\[(\d+)\]", words)
    return tuple(int(number) - 1 if number else key for key, number in steps)


def printable(text: str) -> str:
    """What can be shown in a terminal, whatever strangers wrote."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def convert(raw: Any, kind: type[T], path: Path = ()) -> T:
    """Plain data as `kind`, which ignores keys that it does not know; raises BadSnapshot."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise _located(error, raw, kind, path) from None


def _located(error: msgspec.ValidationError, raw: Any, kind: Any, path: Path) -> BadSnapshot:
    """msgspec names no keys of mappings, so those are tried one by one."""
    text, _, where = str(error).partition(" - at ")
    for attribute, index, unknown in _STEP.findall(where):
        if unknown:
            return _in_mapping(raw, kind, path)
        step: str | int = attribute or int(index)
        raw, kind, path = raw[step], _inner(kind, step), (*path, step)
    if where.startswith("`key`"):
        return _in_mapping(raw, kind, path)
    broken = error.__cause__
    if isinstance(broken, InvalidValue):
        found = _field_of(raw, broken.field)
        rule = broken.rule if found else f"`{broken.field}` {broken.rule}"
        return BadSnapshot((*path, *found), rule)
    return BadSnapshot(path, _rule(text, kind, str(path[-1]) if path else ""))


def _in_mapping(raw: Mapping[str, Any], kind: Any, path: Path) -> BadSnapshot:
    key_kind, value_kind = typing.get_args(bare(kind))
    for key, value in raw.items():
        try:
            msgspec.convert(key, key_kind)
        except msgspec.ValidationError as error:
            rule = _rule(str(error), key_kind, "name")
            return BadSnapshot((*path, key), f"is no name for this: it {rule}", at_key=True)
        try:
            msgspec.convert(value, value_kind)
        except msgspec.ValidationError as error:
            return _located(error, value, value_kind, (*path, key))
    return BadSnapshot(path, "breaks a rule")


def _field_of(raw: Any, field: str) -> Path:
    """The key that a rule is about, which may carry a unit: `gain` is in `gain_db`."""
    if not isinstance(raw, dict):
        return ()
    inside = (
        (key, field) for key, inner in raw.items() if isinstance(inner, dict) and field in inner
    )
    return next(((key,) for key in raw if key.startswith(field)), None) or next(inside, ())


def _rule(text: str, kind: Any, field: str) -> str:
    if typing.get_origin(bare(kind)) is typing.Literal and text.startswith("Invalid enum"):
        return f"must be one of {', '.join(map(str, typing.get_args(bare(kind))))}"
    rule = rule_in_words(text.partition(" - at ")[0], field)
    lacking = re.fullmatch(r"Object missing required field `(\w+)`", rule)
    if lacking is not None:
        return f"lacks `{lacking[1]}`"
    for theirs, ours in _WORDS.items():
        rule = rule.replace(theirs, ours)
    return rule


def plain(value: Any) -> Any:
    """Structs as plain data, without what is as by default."""
    if isinstance(value, msgspec.Struct):
        given = ((f, getattr(value, f.name)) for f in msgspec.structs.fields(value))
        return {f.encode_name: plain(v) for f, v in given if v != _default(f)}
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


# ---- types ----


def bare(kind: Any) -> Any:
    """A type without its annotations, and without None where it may be that too."""
    if typing.get_origin(kind) is typing.Annotated:
        return bare(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return bare(next(arg for arg in typing.get_args(kind) if arg is not type(None)))
    return kind


def fields_of(kind: Any) -> dict[str, Any] | None:
    """The types of a struct's fields; None where it is no struct."""
    kind = bare(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return typing.get_type_hints(kind, include_extras=True)
    return None


def items_of(kind: Any, raw: Any) -> Iterator[tuple[str | int, Any, Any]]:
    """What a list or a mapping holds: key or place, value, and the value's type."""
    args = typing.get_args(bare(kind))
    if isinstance(raw, dict) and len(args) == 2:
        yield from ((key, value, args[1]) for key, value in raw.items())
    elif isinstance(raw, list) and args:
        yield from ((place, value, args[0]) for place, value in enumerate(raw))


def _inner(kind: Any, step: str | int) -> Any:
    fields = fields_of(kind)
    if fields is not None:
        return fields[str(step)]
    args = typing.get_args(bare(kind))
    return args[0] if len(args) == 1 or isinstance(step, int) else args[1]
