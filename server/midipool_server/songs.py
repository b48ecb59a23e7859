"""A room's song list: who may not put too much into it, and what everybody is told. Pure."""

from collections import deque
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from midipool.errors import Refused
from midipool.messages import (
    EDITED,
    MAX_NOTES_BYTES,
    MAX_SONGS,
    AddSong,
    ChangeSong,
    HandSongs,
    LoadedSong,
    LoadSong,
    Message,
    MoveSong,
    RemoveSong,
    Song,
    SongEdit,
    SongGone,
    SongLoaded,
    SongPut,
    Songs,
)
from midipool.snapshot.songs import SongEntry
from midipool.song_book import SongBook
from midipool.transport import BeginSong
from midipool_server.rate_limit import RateLimit
from midipool_server.saving.section import Loading

# A whole list may be brought along at once.
EDITS_A_SECOND, EDIT_BURST = 5.0, 2.0 * MAX_SONGS
MOST_REMOVED = 1000
MOST_HANDED = 2**52
"""Of ids and revisions that are handed over: those that follow are still ones of the protocol."""


class KeptSongs(msgspec.Struct, frozen=True):
    """The list over a restart of the server."""

    songs: list[Song]
    loaded: LoadedSong | None
    removed: list[int]
    """Ids of songs that do not come back with what members hand over."""


@dataclass(slots=True)
class RoomSongs:
    """The list; methods return what everybody is told."""

    keep_us: int
    """How long it takes the list of a room that was here before."""
    book: SongBook = field(default_factory=SongBook)
    _begun_us: int | None = None
    _giver: int | None = None
    """The connection that hands a list over."""
    _removed: deque[int] = field(default_factory=lambda: deque(maxlen=MOST_REMOVED))
    """What may not come back with a list that is handed over."""
    _limit: RateLimit = field(default_factory=lambda: RateLimit(EDITS_A_SECOND, EDIT_BURST))

    def begin(self, now_us: int) -> None:
        """Somebody is in the room, for the first time or again."""
        if self._begun_us is None:
            self._begun_us = now_us

    def message(self, now_us: int) -> Songs:
        """What a member is told that joins."""
        return Songs(list(self.book.songs), self.book.loaded, self._takes(now_us))

    def edit(self, now_us: int, edit: SongEdit) -> list[Message]:
        """Change the list; raises Refused."""
        if not self._limit.allow(now_us):
            raise Refused("too_fast", "the list is changed too often: wait a moment")
        match edit:
            case AddSong():
                return self._add(now_us, edit)
            case ChangeSong():
                return self._change(edit)
            case RemoveSong(song=id):
                return self._remove(id)
            case MoveSong(song=id, before=before):
                return [self._put(self.book.find(id), before)]

    def begun_by(self, load: LoadSong) -> BeginSong:
        """What a song does to the timeline; raises Refused."""
        song = self.book.find(load.song)
        return BeginSong(
            id=load.id,
            at=load.at,
            epoch=load.epoch,
            song=song.id,
            name=song.name,
            bpm=song.bpm,
            meter=song.meter,
            loop=song.loop,
        )

    def load(self, id: int, by: str | None, at_us: int) -> list[Message]:
        """A song is loaded; raises Refused."""
        self.book.loaded = LoadedSong(self.book.find(id).id, by, at_us)
        return [SongLoaded(self.book.loaded)]

    def hand(self, now_us: int, giver: int, handed: HandSongs) -> list[Message]:
        """Take over what the room did not have, of the first member that hands a list over."""
        if self._giver not in (None, giver) or not self._takes(now_us):
            return []
        self._giver = giver
        told: list[Message] = []
        for song in handed.songs:
            known = {other.id for other in self.book.songs}
            is_new = song.id not in known.union(self._removed)
            if is_new and max(song.id, song.revision) <= MOST_HANDED and self._fits(song, None):
                told.append(self._put(song, None))
        if handed.loaded is not None and self.book.loaded is None:
            self.book.loaded = replace(handed.loaded, at_us=now_us)
            if self.book.loaded_song() is None:
                self.book.loaded = None
            else:
                told.append(SongLoaded(self.book.loaded))
        return told

    def become(self, loading: Loading, entries: list[SongEntry]) -> list[Message]:
        """Be another list; a song that was there by its name is that one."""
        known = {song.name: song for song in reversed(self.book.songs)}
        next_id = max([loading.now_us, 1, *(song.id + 1 for song in self.book.songs)])
        songs, loaded = list[Song](), None
        for id, entry in enumerate(entries, next_id):
            before = known.pop(entry.name, None)
            song = entry.song(id) if before is None else entry.song(before.id, before.revision)
            if before is not None and song != before:
                song = replace(song, revision=before.revision + 1)
            songs.append(song)
            if entry.loaded:
                loaded = LoadedSong(song.id, loading.actor, loading.at_us)
        left = {song.id for song in songs}
        self._removed.extend(song.id for song in self.book.songs if song.id not in left)
        self.book.songs, self.book.loaded = songs, loaded
        return [Songs(songs, loaded, hand=False)]

    def kept(self) -> KeptSongs:
        """All of it."""
        return KeptSongs(self.book.songs, self.book.loaded, list(self._removed))

    def bring_back(self, kept: KeptSongs, shift_us: int) -> None:
        """Be as it was."""
        loaded = kept.loaded
        self.book.songs = kept.songs
        if loaded is not None:
            self.book.loaded = replace(loaded, at_us=loaded.at_us + shift_us)
        self._removed.extend(kept.removed)

    def gone(self, giver: int) -> None:
        """A connection ended: another member may hand over the rest."""
        if self._giver == giver:
            self._giver = None

    # ---- inside ----

    def _takes(self, now_us: int) -> bool:
        return self._begun_us is None or now_us - self._begun_us < self.keep_us

    def _add(self, now_us: int, add: AddSong) -> list[Message]:
        if add.before is not None:
            self.book.find(add.before)
        # Room time gives each an id of its own, also after a restart of the server.
        id = max([now_us, 1, *(song.id + 1 for song in self.book.songs)])
        song = Song(id, 1, **{name: getattr(add, name) for name in EDITED})
        self._check(song, None)
        return [self._put(song, add.before)]

    def _change(self, change: ChangeSong) -> list[Message]:
        before = self.book.find(change.song)
        if change.revision is not None and change.revision != before.revision:
            text = "somebody changed this song meanwhile: look at it anew"
            raise Refused("stale_song", text, "revision")
        given = {name: getattr(change, name) for name in EDITED}
        given = {name: value for name, value in given.items() if value is not UNSET}
        song = replace(before, revision=before.revision + 1, **given)
        self._check(song, before)
        return [self._put(song, self.book.behind(song.id))]

    def _remove(self, id: int) -> list[Message]:
        was_loaded = self.book.loaded
        self.book.remove(id)
        self._removed.append(id)
        gone: list[Message] = [SongGone(id)]
        return gone if self.book.loaded == was_loaded else [*gone, SongLoaded(None)]

    def _put(self, song: Song, before: int | None) -> SongPut:
        self.book.put(song, before)
        return SongPut(song, self.book.behind(song.id))

    def _check(self, song: Song, before: Song | None) -> None:
        if self._fits(song, before):
            return
        if before is None and len(self.book.songs) >= MAX_SONGS:
            raise Refused("list_full", f"the list has {MAX_SONGS} songs: remove one first")
        text = f"the notes of all songs may have {MAX_NOTES_BYTES // 1024} KiB together"
        raise Refused("list_full", f"{text}: shorten some", "notes")

    def _fits(self, song: Song, before: Song | None) -> bool:
        others = [other for other in self.book.songs if other is not before]
        size = sum(len(s.notes.encode()) for s in [*others, song])
        return len(others) < MAX_SONGS and size <= MAX_NOTES_BYTES
