"""The room's song list, and what is asked of it."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from midipool.messages.chat import UNSEEN
from midipool.messages.command import Command
from midipool.messages.fields import Bpm, CommandId, Message, Name
from midipool.meter import Loop, Meter
from midipool.timeline import RoomTimeUs

MAX_SONGS = 100
MAX_NOTES_CHARACTERS = 8_000
MAX_NOTES_BYTES = 256 * 1024

NOTES_RULE = (
    f"at most {MAX_NOTES_CHARACTERS} characters; of control characters only tab and newline"
)
SONG_KEY_RULE = "at most 16 characters, none of them a control character"
_NOTES = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$(?!\n)"

SongId = Annotated[int, Meta(ge=1, le=2**53)]
SongRevision = Annotated[int, Meta(ge=1, le=2**53)]
Notes = Annotated[
    str, Meta(max_length=MAX_NOTES_CHARACTERS, pattern=_NOTES, description=NOTES_RULE)
]
Key = Annotated[
    str, Meta(max_length=16, pattern=rf"^[^{UNSEEN}]*$(?!\n)", description=SONG_KEY_RULE)
]


class Song(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A song of the room's list."""

    id: SongId
    """Given by the room; stays the song's own."""
    revision: SongRevision
    """Rises with each change of the song."""
    name: Name
    """What it is called."""
    bpm: Bpm
    """The tempo it begins with; kept to 0.001."""
    meter: Meter = Meter()
    """Of all of it."""
    loop: Loop | None = None
    """Bars that repeat once it is loaded."""
    key: Key = ""
    """Such as `F#m`: for people."""
    notes: Notes = ""
    """For people: chords, words, who begins. Markdown."""


class LoadedSong(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which song the room plays, and who chose it."""

    song: SongId
    """Of the list."""
    by: Name | None
    """The member; null for a remote that acts for nobody."""
    at_us: RoomTimeUs
    """From when on."""


class AddSong(Message, tag="song_add", frozen=True, kw_only=True):
    """Put a song into the list; answered by `ok` or `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    name: Name
    """What it is called; several may be called the same."""
    bpm: Bpm
    """The tempo it begins with."""
    meter: Meter = Meter()
    """Of all of it."""
    loop: Loop | None = None
    """Bars that repeat once it is loaded."""
    key: Key = ""
    """Such as `F#m`: for people."""
    notes: Notes = ""
    """For people, in Markdown."""
    before: SongId | None = None
    """The song in front of which it goes; null puts it at the end."""


class ChangeSong(Message, tag="song_change", frozen=True, kw_only=True):
    """Change what is given of a song; answered by `ok` or `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    song: SongId
    """Which one."""
    revision: SongRevision | None = None
    """When given and not the song's any more, the change is refused as stale."""
    name: Name | UnsetType = UNSET
    """What it is called."""
    bpm: Bpm | UnsetType = UNSET
    """The tempo it begins with."""
    meter: Meter | UnsetType = UNSET
    """Of all of it."""
    loop: Loop | UnsetType | None = UNSET
    """Bars that repeat; null for none."""
    key: Key | UnsetType = UNSET
    """Such as `F#m`: for people."""
    notes: Notes | UnsetType = UNSET
    """For people, in Markdown."""


class RemoveSong(Message, tag="song_remove", frozen=True, kw_only=True):
    """Take a song out of the list; answered by `ok` or `error`. The room plays on."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    song: SongId
    """Which one."""


class MoveSong(Message, tag="song_move", frozen=True, kw_only=True):
    """Put a song at another place of the list; answered by `ok` or `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    song: SongId
    """Which one."""
    before: SongId | None = None
    """The song in front of which it goes; null puts it at the end."""


class LoadSong(Command, tag="song_load", frozen=True, kw_only=True):
    """Set tempo, meter and loop to a song's, and go to bar 1: at once in a stopped room, on the
    next bar line in one that plays, which plays on."""

    song: SongId
    """Which one."""


class HandSongs(Message, tag="songs_hand", frozen=True, kw_only=True):
    """A member hands over songs to a room whose list begins anew. No answer."""

    songs: Annotated[list[Song], Meta(max_length=MAX_SONGS)]
    """In order; as many as a message takes."""
    loaded: LoadedSong | None = None
    """Which was loaded; with the last ones."""


class Songs(Message, tag="songs", frozen=True, omit_defaults=False):
    """All of the list: behind `welcome`."""

    songs: list[Song]
    """In order, 100 at most."""
    loaded: LoadedSong | None
    """Which is loaded."""
    hand: bool
    """Whether the room takes `songs_hand`."""


class SongPut(Message, tag="song_put", frozen=True, omit_defaults=False):
    """A song is new, another one, or at another place."""

    song: Song
    """As it is now."""
    before: SongId | None
    """The song in front of which it is now; null at the end."""


class SongGone(Message, tag="song_gone", frozen=True):
    """A song is not in the list any more."""

    song: SongId
    """Which one."""


class SongLoaded(Message, tag="song_loaded", frozen=True, omit_defaults=False):
    """A song was loaded, or the one that was loaded is gone."""

    loaded: LoadedSong | None
    """Which is loaded now."""


SongEdit = AddSong | ChangeSong | RemoveSong | MoveSong
EDITED = ("name", "bpm", "meter", "loop", "key", "notes")
"""What people write of a song."""
