"""What belongs to a recording, and how: its manifest. It is written whole or not at all."""

import os
from pathlib import Path
from typing import Literal

import msgspec

from midipool.errors import InvalidValue, Unavailable
from midipool.timeline import Timeline

FILE = "manifest.json"
MOST_BYTES = 1 << 22
MOST_HOLES = 100
Kind = Literal["input", "effects", "mix", "player"]
"""Own input as it came; as the room heard it, with effects; the own mix; another player."""


class Hole(msgspec.Struct, frozen=True):
    """Silence in a track, because there was nothing to be recorded."""

    at: int
    """The first frame of it."""
    frames: int


class Track(msgspec.Struct, frozen=True):
    """A sound file; its first frame is on the first bar line."""

    name: str
    kind: Kind
    file: str
    channels: int
    frames: int = 0
    dropped_frames: int = 0
    """Silent because the disk did not keep up."""
    missing_frames: int = 0
    """Silent between sounds: a player was away, the device stood still, or the disk."""
    holes: list[Hole] = []
    """Where, of the first so many."""
    whole: bool = True
    """False for own input with effects, if it had none at first: that is in the other track."""


class Manifest(msgspec.Struct, frozen=True):
    """What a recording is."""

    room: str
    player: str
    """Who recorded."""
    format: Literal["flac", "wav"]
    started: str
    """Local time, ISO 8601."""
    state: Literal["waiting", "recording", "done", "cut"] = "waiting"
    """`waiting`: for the first bar line; `cut`: it ended without having been ended."""
    why: str = ""
    """Why it ended, if nobody asked for it."""
    rate: int = 0
    bar: int = 0
    """Of the song, where the files begin; in the MIDI file that is bar 1."""
    bpm: float = 0.0
    meter: str = ""
    seconds: float = 0.0
    tracks: list[Track] = []
    midi: str | None = None
    timelines: list[Timeline] = []
    """The room's, in µs since the first bar line; what `midi` has of them is rounded."""
    version: int = 1
    """Of this file."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put it in the old one's place; raises OSError."""
    write_whole(folder / FILE, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


def write_whole(path: Path, data: bytes) -> None:
    """A file with all of it, or as it was before; raises OSError."""
    new = path.with_name(f".{path.name}.new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read_manifest(folder: Path) -> Manifest:
    """Raises Unavailable if there is none, InvalidValue if it is broken."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES)
    except OSError as error:
        raise Unavailable(f"{path} cannot be read ({error.strerror})") from None
    try:
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidValue(str(path), f"is not a manifest ({error})") from None
