"""Which programs the operator allows, from a TOML file: nothing of it comes from outside. Pure."""

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from midipool.errors import InvalidValue
from midipool.messages import (
    MAX_OPTIONS,
    MAX_PROGRAMS,
    OPTION_TEXT_RULE,
    ModuleOption,
    ModuleProgram,
    OptionName,
    OptionText,
    OptionValue,
    check_name,
)
from midipool.messages.fields import Text

Word = Annotated[str, Meta(min_length=1)]
Given = Mapping[str, OptionValue]
# What the server says itself. A module's name may be anything: it is in the environment alone.
OWN = ("url", "room")


class OptionSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table `[program.options.NAME]`: a number, or text."""

    default: OptionValue
    least: float | None = None
    most: float | None = None
    choices: list[OptionValue] = []
    about: Text = ""

    def __post_init__(self) -> None:
        """Raises InvalidValue."""
        if isinstance(self.default, str) and (self.least is not None or self.most is not None):
            raise InvalidValue("least", "and `most` are for numbers, and the default is text")
        self.check("default", self.default)
        for choice in self.choices:
            self.check("choices", choice)

    def check(self, field: str, value: OptionValue) -> None:
        """Raise InvalidValue unless it can have this value."""
        if isinstance(self.default, str) != isinstance(value, str):
            wanted = "text" if isinstance(self.default, str) else "a number"
            raise InvalidValue(field, f"must be {wanted}, not {value!r}")
        if self.choices and value not in self.choices:
            choices = ", ".join(map(said, self.choices))
            raise InvalidValue(field, f"must be one of {choices}, not {said(value)}")
        if isinstance(value, str):
            _check_text(field, value)
            return
        if self.least is not None and value < self.least:
            raise InvalidValue(field, f"must be at least {said(self.least)}, not {said(value)}")
        if self.most is not None and value > self.most:
            raise InvalidValue(field, f"must be at most {said(self.most)}, not {said(value)}")


class ModuleSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the file."""

    command: Annotated[list[Word], Meta(min_length=1)]
    """Program and arguments; `{url}`, `{room}` and `{OPTION}` in them are replaced."""
    rooms: list[Word] = msgspec.field(default_factory=lambda: ["*"])
    """Names of rooms, with `*` and `?`."""
    restart: Literal["always", "on-failure", "never"] = "on-failure"
    listed: bool = True
    """Whether it is in a room's list from the beginning; else hosts add it."""
    about: Text = ""
    """For people."""
    options: Annotated[dict[OptionName, OptionSpec], Meta(max_length=MAX_OPTIONS)] = {}

    def __post_init__(self) -> None:
        """Raises InvalidValue."""
        for name in self.options:
            if name in OWN:
                raise InvalidValue("options", f"{name} is what the server says itself")
            if not any(f"{{{name}}}" in word for word in self.command[1:]):
                text = f"{name} is in no argument of the command, as {{{name}}}"
                raise InvalidValue("options", text)

    def plays_in(self, room: str) -> bool:
        """Whether it is for a room."""
        return any(fnmatchcase(room, pattern) for pattern in self.rooms)

    def checked(self, given: Given) -> dict[str, OptionValue]:
        """What of it is not as by default; raises InvalidValue."""
        for name, value in given.items():
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise InvalidValue(f"options.{name}", f"is no option of it; there are: {known}")
            self.options[name].check(f"options.{name}", value)
        return {name: v for name, v in given.items() if v != self.options[name].default}

    def command_for(self, url: str, room: str, given: Given) -> list[str]:
        """What is run: the program is the operator's, and each word of it stays one."""
        texts = {"url": url, "room": room}
        texts |= {key: said(given.get(key, spec.default)) for key, spec in self.options.items()}
        program, *arguments = self.command
        return [program, *(_filled(word, texts) for word in arguments)]


def parse_specs(text: str, file: str) -> dict[str, ModuleSpec]:
    """Programs by their names, in the file's order; raises InvalidValue."""
    try:
        tables = tomllib.loads(text)
        for name in tables:
            check_name(name)
        if len(tables) > MAX_PROGRAMS:
            raise InvalidValue("modules", f"are {len(tables)}, and {MAX_PROGRAMS} at most")
        return {name: _spec_of(name, table) for name, table in tables.items()}
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, InvalidValue) as error:
        raise InvalidValue("modules", f"{file}: {error}") from None


def _spec_of(name: str, table: object) -> ModuleSpec:
    try:
        return msgspec.convert(table, ModuleSpec)
    except msgspec.ValidationError as error:
        raise InvalidValue(name, str(error)) from None


def program_of(name: str, spec: ModuleSpec) -> ModuleProgram:
    """As a room is told: not what is run."""
    options = [
        ModuleOption(key, o.default, o.least, o.most, list(o.choices), o.about)
        for key, o in spec.options.items()
    ]
    return ModuleProgram(name, spec.about, options)


def said(value: OptionValue) -> str:
    """A value as a command has it: 4, 0.75, waltz."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _filled(word: str, texts: Mapping[str, str]) -> str:
    """What is put in is not looked at again."""
    parts = word.split("{")
    filled = parts[0]
    for part in parts[1:]:
        key, closed, rest = part.partition("}")
        filled += texts[key] + rest if closed and key in texts else "{" + part
    return filled


def _check_text(field: str, value: str) -> None:
    try:
        msgspec.convert(value, OptionText)
    except msgspec.ValidationError:
        raise InvalidValue(field, f"must be {OPTION_TEXT_RULE}") from None
