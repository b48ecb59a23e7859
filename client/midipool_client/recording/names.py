"""Names of files and folders, of what people are called. Pure.

What comes from the network is never a path: of a name only letters, digits, _ and - are left.
"""

import re

from midipool.errors import InvalidValue

MOST_FILE_NAME = 40
MOST_NAME = 64
_OTHER = re.compile(r"[^A-Za-z0-9_-]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]*")
# Names that Windows keeps for itself cannot come about: a number stands in front.


def track_file(number: int, name: str, extension: str) -> str:
    """A track's file; the number tells names apart that look alike."""
    plain = _OTHER.sub("_", name).strip("_")[:MOST_FILE_NAME] or "player"
    return f"{number:02}-{plain}.{extension}"


def check_recording_name(name: str) -> str:
    """A recording's name, which is its folder's; raises InvalidValue."""
    if len(name) > MOST_NAME or not _NAME.fullmatch(name) or name.endswith((".", " ")):
        rule = f"must be 1 to {MOST_NAME} letters, digits, spaces and . _ - and begin with none"
        raise InvalidValue("recording", f"{rule} of the last four, and not end with . or a space")
    return name


def new_recording_name(taken: set[str], moment: str, room: str) -> str:
    """A name that nobody has yet; `moment` is the local time in words."""
    plain = _OTHER.sub("-", room).strip("-")[:24]
    wanted = f"{moment}-{plain}" if plain else moment
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return name
