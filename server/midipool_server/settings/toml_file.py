"""A configuration file in TOML: its keys, and on which line each is. Pure."""

import re
import tomllib
from typing import NamedTuple

MAX_BYTES = 64 * 1024


class Said(NamedTuple):
    """A value, and the line where it stands."""

    value: object
    line: int


class NotToml(Exception):
    """The text is none; `line` says where."""

    def __init__(self, line: int, rule: str) -> None:
        super().__init__(rule)
        self.line, self.rule = line, rule


def parse(text: str) -> dict[str, Said]:
    """The keys of the file; raises NotToml."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        rule, _, place = str(error).partition(" (at ")
        found = re.match(r"line (\d+)", place)
        line = int(found[1]) if found else text.count("\n") + 1
        raise NotToml(line, f"this is no TOML: {rule[:1].lower()}{rule[1:]}") from None
    lines = _lines(text)
    return {key: Said(value, lines.get(key, 1)) for key, value in values.items()}


def _lines(text: str) -> dict[str, int]:
    """Where each key begins: a statement ends where what stands so far is TOML by itself."""
    found: dict[str, int] = {}
    piece, begun = "", 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        begun = begun if piece else number
        piece += line
        try:
            keys = tomllib.loads(piece)
        except tomllib.TOMLDecodeError:
            continue
        piece = ""
        for key in keys:
            found.setdefault(key, begun)
    return found
