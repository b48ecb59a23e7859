"""Which modules the operator allows, from a TOML file: nothing of it comes from outside. Pure."""

import tomllib
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from midipool.errors import InvalidValue
from midipool.messages import check_name

Word = Annotated[str, Meta(min_length=1)]


class ModuleSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the file."""

    command: Annotated[list[Word], Meta(min_length=1)]
    """Program and arguments; `{url}` in them is the room's address."""
    rooms: list[Word] = msgspec.field(default_factory=lambda: ["*"])
    """Names of rooms, with `*` and `?`."""
    restart: Literal["always", "on-failure", "never"] = "on-failure"

    def plays_in(self, room: str) -> bool:
        """Whether it is for a room."""
        return any(fnmatchcase(room, pattern) for pattern in self.rooms)

    def command_for(self, url: str) -> list[str]:
        """What is run."""
        return [word.replace("{url}", url) for word in self.command]


def parse_specs(text: str, file: str) -> dict[str, ModuleSpec]:
    """Modules by their names, in the file's order; raises InvalidValue."""
    try:
        tables = tomllib.loads(text)
        for name in tables:
            check_name(name)
        return msgspec.convert(tables, dict[str, ModuleSpec])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, InvalidValue) as error:
        raise InvalidValue("modules", f"{file}: {error}") from None
