"""Where in a JSON text a value is, for errors that name its line. Pure."""

import json
import re

Place = tuple[str, ...]
"""Names of members, from the outermost object on."""

_SPACE = re.compile(r"[ \t\n\r]*")


def line_of(text: str, place: Place) -> int:
    """The line, from 1, of a value in a text that is known to be JSON."""
    at = _skip(text, 0)
    for name in place:
        at = _member(text, at, name)
    return text.count("\n", 0, at) + 1


def _member(text: str, at: int, wanted: str) -> int:
    """Where the value of a member of the object at `at` begins; of doubles, the last counts."""
    decoder = json.JSONDecoder()
    found, at = at, _skip(text, at + 1)
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        value_at = _skip(text, _skip(text, at) + 1)
        found = value_at if name == wanted else found
        at = _skip(text, decoder.raw_decode(text, value_at)[1])
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
