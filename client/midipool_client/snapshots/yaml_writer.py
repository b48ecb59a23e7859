"""Documents as YAML for people, also into a file whose comments are to stay. Pure."""

import io
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from midipool.errors import InvalidValue
from midipool_client.snapshots.yaml_reader import read_yaml

WIDTH = 100
MOST_IN_A_LINE = 4
# Everything else is safer in quotes.
_LINE = re.compile(r"(?:[^\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff]*[^\s\x00-\x1f\x7f-\x9f\ufeff])?")
# What other readers of YAML take for something else than text.
_TELLING = re.compile(
    r"(?i)y|n|yes|no|on|off|true|false|null|~||=|<<|[-+.]?[0-9][-+.:_0-9a-fox]*|[-+]?\.(inf|nan)"
)


def write_yaml(data: Mapping[str, Any]) -> str:
    """A text that reads as just this."""
    try:
        return _checked(_dumped(_commented(data)), data)
    except InvalidValue:
        return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"


def rewritten(text: str, data: Mapping[str, Any]) -> str:
    """The text with other values: what it says beside those that are still there stays."""
    try:
        old = _yaml().load(text)
        if isinstance(old, CommentedMap):
            _update(old, data)
            return _checked(_dumped(old), data)
    except (YAMLError, InvalidValue, AttributeError, KeyError, IndexError):
        pass  # Comments at places that the library loses hold nobody up.
    return write_yaml(data)


def _checked(text: str, data: Mapping[str, Any]) -> str:
    if read_yaml(text.encode(), "what would be written").data != data:
        raise InvalidValue("what would be written", "reads otherwise")
    return text


def _yaml() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.width = WIDTH
    yaml.preserve_quotes = True
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _dumped(value: Any) -> str:
    out = io.StringIO()
    _yaml().dump(value, out)
    return out.getvalue()


def _commented(value: Any, depth: int = 0) -> Any:
    """Plain data in the library's types, which say how it is written."""
    if isinstance(value, Mapping):
        said = CommentedMap({_text(key): _commented(v, depth + 1) for key, v in value.items()})
        if depth > 1 and _fits_a_line(value):
            said.fa.set_flow_style()
        return said
    if isinstance(value, list):
        return CommentedSeq([_commented(item, depth + 1) for item in value])
    if isinstance(value, str):
        return _text(value)
    # 120.0 is a tempo of 120.
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return int(value) if whole else value


def _text(text: str) -> Any:
    if "\n" in text and _can_be_block(text):
        return LiteralScalarString(text)
    if _TELLING.fullmatch(text) or not text.isprintable():
        return DoubleQuotedScalarString(text)
    return text


def _can_be_block(text: str) -> bool:
    lines = text.split("\n")
    return lines[0][:1].strip() != "" and all(_LINE.fullmatch(line) for line in lines)


def _fits_a_line(value: Mapping[str, Any]) -> bool:
    short = all(
        isinstance(v, int | float | None) or (isinstance(v, str) and len(v) <= 20 and "\n" not in v)
        for v in value.values()
    )
    return len(value) <= MOST_IN_A_LINE and short and "name" not in value


def _update(old: Any, new: Mapping[str, Any]) -> None:
    for key in [key for key in old if str(key) not in new]:
        del old[key]
    names = {str(key): key for key in old}
    for key, value in new.items():
        known = names.get(key, _text(key))
        before = old.get(known)
        if isinstance(before, CommentedMap) and isinstance(value, Mapping):
            _update(before, value)
        elif isinstance(before, CommentedSeq) and _are_same_items(before, value):
            _update_items(before, value)
        elif not _is_same(before, value) or known not in old:
            old[known] = _commented(value, 1)


def _update_items(old: CommentedSeq, new: list[Any]) -> None:
    for place, (before, value) in enumerate(zip(old, new, strict=True)):
        if isinstance(before, CommentedMap) and isinstance(value, Mapping):
            _update(before, value)
        elif not _is_same(before, value):
            old[place] = _commented(value, 1)


def _are_same_items(old: CommentedSeq, new: Any) -> bool:
    return isinstance(new, list) and [_name(item) for item in old] == [_name(item) for item in new]


def _name(item: Any) -> Any:
    return item.get("name") if isinstance(item, Mapping) else None


def _is_same(before: Any, value: Any) -> bool:
    """Whether what is written already says it; texts that look like numbers are told apart."""
    if isinstance(before, bool) or isinstance(value, bool) or before is None:
        return before is value
    if isinstance(before, str) or isinstance(value, str):
        return isinstance(before, str) and isinstance(value, str) and str(before) == value
    return bool(before == value)
