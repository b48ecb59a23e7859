"""Song lists as files: JSON that people may write by hand, too. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from midipool.errors import InvalidValue
from midipool.messages import EDITED, MAX_SONGS, AddSong, Song
from midipool.messages.fields import Bpm, Name
from midipool.messages.songs import Key, Notes
from midipool.meter import Loop, Meter, parse_meter

FORMAT: Literal["midiPool songs 1"] = "midiPool songs 1"


class SongInFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A song without what only its room knows."""

    name: Name
    bpm: Bpm = 120.0
    meter: str = "4/4"
    loop: Loop | None = None
    key: Key = ""
    notes: Notes = ""


class SongFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list of songs."""

    format: Literal["midiPool songs 1"]
    songs: list[SongInFile]


def exported(songs: Sequence[Song]) -> bytes:
    """The list as a file's text."""
    in_file = [
        SongInFile(song.name, song.bpm, str(song.meter), song.loop, song.key, song.notes)
        for song in songs
    ]
    return msgspec.json.format(msgspec.json.encode(SongFile(FORMAT, in_file)), indent=2) + b"\n"


def imported(data: bytes) -> list[AddSong]:
    """What a file's songs are asked for with; raises InvalidValue."""
    try:
        songs = msgspec.json.decode(data.replace(b"\\r\\n", b"\\n"), type=SongFile).songs
        if len(songs) > MAX_SONGS:
            raise InvalidValue("songs", f"{len(songs)} are too many: a list has {MAX_SONGS}")
        return [_asked(song) for song in songs]
    except InvalidValue:
        raise
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InvalidValue("file", f"holds no list of songs as exported: {error}") from None


def is_same(song: Song, wanted: AddSong) -> bool:
    """Whether a song is what a file says of it."""
    return all(getattr(song, name) == getattr(wanted, name) for name in EDITED)


def _asked(song: SongInFile) -> AddSong:
    meter: Meter = parse_meter(song.meter)
    return AddSong(
        id=1,
        name=song.name,
        bpm=song.bpm,
        meter=meter,
        loop=song.loop,
        key=song.key,
        notes=song.notes,
    )
