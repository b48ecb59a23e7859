"""Who changes the room's song list, and who hears of it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from midipool.messages import (
    AddSong,
    ChangeSong,
    HandSongs,
    Message,
    MoveSong,
    RemoveSong,
    SongEdit,
)
from midipool.snapshot.songs import SongEntry, entries_of
from midipool_server.feature import Feature, Handler
from midipool_server.floor import Floor
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member
from midipool_server.saving.section import Loading, Section, Then
from midipool_server.songs import KeptSongs, RoomSongs


class SongList(Feature):
    """The list is changed by who may change the room, without a vote."""

    key = "songs"

    def __init__(self, floor: Floor, songs: RoomSongs) -> None:
        self._floor = floor
        self._songs = songs

    def handlers(self) -> Mapping[type[Message], Handler]:
        """Changes, and a list that is handed over."""
        edits: tuple[type[Message], ...] = (AddSong, ChangeSong, RemoveSong, MoveSong)
        return {**dict.fromkeys(edits, self._edit), HandSongs: self._hand}

    def greet(self, now_us: int, member: Member) -> list[Outgoing]:
        """The whole list."""
        self._songs.begin(now_us)
        if "songs" not in member.capabilities:
            return []
        return [Outgoing(self._songs.message(now_us), member.id)]

    def cut(self, id: int) -> list[Outgoing]:
        """Another member may hand over the rest."""
        self._songs.gone(id)
        return []

    def describe(self, now_us: int) -> dict[str, object]:
        """Which song is loaded."""
        song = self._songs.book.loaded_song()
        return {"song": None if song is None else song.name}

    def sections(self) -> Sequence[Section]:
        """The list, and which song is loaded."""
        return [Section("songs", self._saved, self._load)]

    def to_keep(self, now_us: int) -> KeptSongs:
        """The list with all that only the room knows."""
        return self._songs.kept()

    def bring_back(self, now_us: int, said: Any, then: Then) -> None:
        """As it was."""
        self._songs.bring_back(msgspec.convert(said, KeptSongs), then.shift_us)

    def _saved(self, now_us: int) -> list[SongEntry]:
        return entries_of(self._songs.book.songs, self._songs.book.loaded)

    def _load(self, loading: Loading, said: list[SongEntry]) -> list[Outgoing]:
        return self._floor.tell("songs", *self._songs.become(loading, said))

    def _edit(self, now_us: int, id: int, edit: SongEdit) -> list[Outgoing]:
        self._floor.check_change(now_us, id)
        told = self._songs.edit(now_us, edit)
        return [
            Outgoing(self._floor.ok(edit.id, now_us), id),
            *self._floor.tell("songs", *told),
        ]

    def _hand(self, now_us: int, id: int, handed: HandSongs) -> list[Outgoing]:
        """Take over a member's list, if the room's began anew."""
        member = self._floor.places.by_id.get(id)
        if member is None or member.remote:
            return []
        return self._floor.tell("songs", *self._songs.hand(now_us, id, handed))
