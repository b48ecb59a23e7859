"""YAML from strangers as plain data, with the line and column of each value. Pure.

Of YAML 1.2 it takes what a document needs: mappings, lists, texts, numbers, true, false and null.
Anchors, aliases and tags are refused: they can make much of little, or something else of data.
"""

import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from midipool.errors import InvalidValue
from midipool.snapshot import MAX_BYTES, BadSnapshot, Path
from midipool.snapshot.fields import printable

MAX_DEPTH = 24
MAX_NODES = 50_000
MAX_DIGITS = 40

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}


class Spot(NamedTuple):
    """A place in a text, both from 1."""

    line: int
    column: int


class BadFile(InvalidValue):
    """A file breaks a rule, at a line and a column."""

    def __init__(self, file: str, spot: Spot, what: str) -> None:
        self.spot = spot
        self.what = printable(what)
        super().__init__(file, f"line {spot.line}, column {spot.column}: {self.what}")


@dataclass
class Document:
    """Plain data, and where in the text it is."""

    file: str
    data: Any = None
    values: dict[Path, Spot] = field(default_factory=dict)
    keys: dict[Path, Spot] = field(default_factory=dict)

    def spot(self, path: Path, at_key: bool = False) -> Spot:
        """Where a value is, or else what it would be in."""
        if at_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Spot(1, 1))

    def located(self, error: BadSnapshot) -> BadFile:
        """What is wrong with the data, said of the file."""
        what = f"{error.field}: {error.rule}" if error.path else error.rule
        return BadFile(self.file, self.spot(error.path, error.at_key), what)


def read_yaml(content: bytes, file: str) -> Document:
    """A text as plain data; raises BadFile."""
    if len(content) > MAX_BYTES:
        raise BadFile(file, Spot(1, 1), f"is longer than {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        spot = Spot(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise BadFile(file, spot, "is not UTF-8") from None
    builder = _Builder(file)
    try:
        for event in _events(text):
            builder.take(event)
    except BadFile:
        raise
    except MarkedYAMLError as error:
        raise BadFile(file, _spot_of(error), f"is not YAML: {_in_words(error)}") from None
    except ReaderError as error:
        at = error.position
        spot = Spot(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        raise BadFile(file, spot, "holds a character that no text may have") from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise BadFile(file, Spot(1, 1), f"is not YAML: {error}") from None
    if builder.document.data is None:
        raise BadFile(file, Spot(1, 1), "is empty")
    return builder.document


def _events(text: str) -> Iterator[Any]:
    yaml = YAML(typ="rt", pure=True)
    return yaml.parse(io.StringIO(text))  # type: ignore[no-any-return]


def _spot_of(error: MarkedYAMLError) -> Spot:
    mark = error.problem_mark or error.context_mark
    return Spot(1, 1) if mark is None else Spot(mark.line + 1, mark.column + 1)


def _in_words(error: MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return ", ".join(str(part) for part in parts)


@dataclass
class _Open:
    """A mapping or list that is not over."""

    holder: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None


class _Builder:
    """Events in, data out."""

    def __init__(self, file: str) -> None:
        self.document = Document(file)
        self._open: list[_Open] = []
        self._documents = self._nodes = 0

    def take(self, event: Any) -> None:
        """The next event; raises BadFile."""
        match event:
            case DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self._bad(event, "begins a second document: a file holds one")
            case AliasEvent():
                raise self._bad(event, f"`*{event.anchor}` is an alias: write the value itself")
            case ScalarEvent() if self._wants_key():
                self._check_plain(event)
                self._take_key(event)
            case ScalarEvent():
                self._check_plain(event)
                self._put(event, self._scalar(event))
            case MappingStartEvent() | SequenceStartEvent():
                self._begin(event)
            case MappingEndEvent() | SequenceEndEvent():
                self._open.pop()

    def _wants_key(self) -> bool:
        last = self._open[-1] if self._open else None
        return last is not None and isinstance(last.holder, dict) and last.key is None

    def _begin(self, event: Any) -> None:
        self._check_plain(event)
        if self._wants_key():
            raise self._bad(event, "is no key: keys are texts")
        if len(self._open) >= MAX_DEPTH:
            raise self._bad(event, f"is nested deeper than {MAX_DEPTH}")
        holder: dict[str, Any] | list[Any] = {} if isinstance(event, MappingStartEvent) else []
        self._open.append(_Open(holder, self._put(event, holder)))

    def _put(self, event: Any, value: Any) -> Path:
        """A value has its place; returns that."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._bad(event, f"has more than {MAX_NODES:,} values up to here")
        path: Path = ()
        if not self._open:
            self.document.data = value
        else:
            last = self._open[-1]
            if isinstance(last.holder, dict):
                assert last.key is not None
                path = (*last.path, last.key)
                last.holder[last.key], last.key = value, None
            else:
                path = (*last.path, len(last.holder))
                last.holder.append(value)
        self.document.values[path] = _spot(event)
        return path

    def _take_key(self, event: ScalarEvent) -> None:
        last, key = self._open[-1], str(event.value)
        assert isinstance(last.holder, dict)
        path = (*last.path, key)
        if key in last.holder:
            line = self.document.keys[path].line
            raise self._bad(event, f"`{key}` is here a second time, after line {line}")
        self.document.keys[path] = _spot(event)
        last.key = key

    def _scalar(self, event: ScalarEvent) -> Any:
        text = str(event.value)
        if event.style is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text) and len(text) <= MAX_DIGITS:
            return int(text)
        if _NO_NUMBER.fullmatch(text):
            raise self._bad(event, f"{text} is no number that can be meant")
        if not _FLOAT.fullmatch(text):
            return text
        number = float(text)
        if math.isinf(number):
            raise self._bad(event, f"{text[:MAX_DIGITS]} is a number too large")
        return number

    def _check_plain(self, event: Any) -> None:
        if event.anchor is not None:
            raise self._bad(event, f"`&{event.anchor}` is an anchor: write values where they are")
        if event.tag is not None and not str(event.tag).startswith("tag:yaml.org,2002:str"):
            raise self._bad(event, f"`{str(event.tag)[:80]}` is a tag: write plain values")

    def _bad(self, event: Any, what: str) -> BadFile:
        return BadFile(self.document.file, _spot(event), what)


def _spot(event: Any) -> Spot:
    return Spot(event.start_mark.line + 1, event.start_mark.column + 1)
