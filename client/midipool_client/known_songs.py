"""The room's song list as a member knows it, to hand over to a room that begins anew. Pure."""

from dataclasses import dataclass, field

from midipool.errors import Refused
from midipool.messages import (
    MAX_MESSAGE_BYTES,
    HandSongs,
    LoadedSong,
    Song,
    SongGone,
    SongLoaded,
    SongPut,
    Songs,
    encode,
)
from midipool.song_book import SongBook

# What is left is for the message around them.
MOST_BYTES = MAX_MESSAGE_BYTES - 1024


@dataclass(slots=True)
class KnownSongs:
    """The list, and whether the room has one."""

    book: SongBook = field(default_factory=SongBook)
    known: bool = False

    def told(self, message: Songs | SongPut | SongGone | SongLoaded) -> list[HandSongs]:
        """The room says something of its list; returns what it is to be told."""
        mine, loaded = self.book.songs, self.book.loaded
        try:
            self.book.hear(message)
        except Refused:
            return []  # Of a song that we never heard of, nothing is missing now.
        if not isinstance(message, Songs):
            return []
        self.known = True
        there = {song.id for song in message.songs}
        lacking = [song for song in mine if song.id not in there]
        return _handed(lacking, loaded) if message.hand and lacking else []


def _handed(songs: list[Song], loaded: LoadedSong | None) -> list[HandSongs]:
    """As many messages as the songs take."""
    pieces: list[HandSongs] = []
    piece, size = list[Song](), 0
    for song in songs:
        length = len(encode(SongPut(song, None)))
        if piece and size + length > MOST_BYTES:
            pieces.append(HandSongs(songs=piece))
            piece, size = [], 0
        piece, size = [*piece, song], size + length
    return [*pieces, HandSongs(songs=piece, loaded=loaded)]
