"""The song list, as a snapshot has it. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from midipool.messages import MAX_NOTES_BYTES, MAX_SONGS, Bpm, LoadedSong, Name, Song
from midipool.messages.songs import Key, Notes
from midipool.meter import Loop, parse_meter
from midipool.snapshot.fields import BadSnapshot
from midipool.snapshot.timeline import Bars


class SongEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A song without what only its room knows; raises InvalidValue."""

    name: Name
    tempo: Bpm = 120.0
    meter: str = "4/4"
    loop: Bars | None = None
    key: Key = ""
    loaded: bool = False
    """It is what the room plays."""
    notes: Notes = ""

    def __post_init__(self) -> None:
        parse_meter(self.meter)

    def song(self, id: int, revision: int = 1) -> Song:
        """As the room has it."""
        loop = None if self.loop is None else Loop(self.loop.start_bar, self.loop.end_bar)
        meter = parse_meter(self.meter)
        return Song(id, revision, self.name, self.tempo, meter, loop, self.key, self.notes)


def entries_of(songs: Sequence[Song], loaded: LoadedSong | None) -> list[SongEntry]:
    """A room's list."""
    return [
        SongEntry(
            name=song.name,
            tempo=song.bpm,
            meter=str(song.meter),
            loop=None if song.loop is None else Bars(song.loop.start_bar, song.loop.end_bar),
            key=song.key,
            loaded=loaded is not None and loaded.song == song.id,
            notes=song.notes,
        )
        for song in songs
    ]


def broken_rules(entries: Sequence[SongEntry]) -> Iterator[BadSnapshot]:
    """Rules for all of them together."""
    if len(entries) > MAX_SONGS:
        rule = f"has {len(entries)} songs: a list has {MAX_SONGS} at most"
        yield BadSnapshot(("songs", MAX_SONGS), rule)
    size, loaded = 0, 0
    for place, entry in enumerate(entries):
        size += len(entry.notes.encode())
        loaded += entry.loaded
        if size > MAX_NOTES_BYTES:
            rule = f"make more than {MAX_NOTES_BYTES // 1024} KiB with those of all songs before"
            yield BadSnapshot(("songs", place, "notes"), rule)
            return
        if entry.loaded and loaded > 1:
            yield BadSnapshot(("songs", place, "loaded"), "is said of another song too")
