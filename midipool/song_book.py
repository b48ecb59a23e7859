"""An ordered list of songs, the same on the server and on each client."""

from dataclasses import dataclass, field

from midipool.errors import Refused
from midipool.messages import LoadedSong, Song, SongGone, SongLoaded, SongPut, Songs


@dataclass(slots=True)
class SongBook:
    """Songs in order, and which is loaded. `songs` is another list after each change."""

    songs: list[Song] = field(default_factory=list)
    loaded: LoadedSong | None = None

    def find(self, id: int) -> Song:
        """The song of this id; raises Refused."""
        for song in self.songs:
            if song.id == id:
                return song
        raise Refused("no_such_song", "this song is not in the list (any more)", "song")

    def which(self, text: str) -> Song:
        """The song of this number in the list, name, or beginning of a name; raises Refused."""
        if text.isdecimal() and 1 <= int(text) <= len(self.songs):
            return self.songs[int(text) - 1]
        wanted = text.casefold()
        named = [song for song in self.songs if song.name.casefold() == wanted]
        named = named or [s for s in self.songs if wanted and s.name.casefold().startswith(wanted)]
        if len(named) == 1:
            return named[0]
        if named:
            text = f"{len(named)} songs are called {text!r}: say which by its number in the list"
        else:
            text = f"no song of the list is called {text!r}, nor has that number"
        raise Refused("no_such_song", text, "song")

    def loaded_song(self) -> Song | None:
        """The one that is loaded."""
        loaded = self.loaded
        ids = [song for song in self.songs if loaded is not None and song.id == loaded.song]
        return ids[0] if ids else None

    def put(self, song: Song, before: int | None) -> None:
        """Have the song in front of another one, or at the end; raises Refused."""
        others = [other for other in self.songs if other.id != song.id]
        if before is not None and before != song.id:
            self.find(before)
        ids = [other.id for other in others]
        place = ids.index(before) if before in ids else len(others)
        self.songs = [*others[:place], song, *others[place:]]

    def behind(self, id: int) -> int | None:
        """The id of the song behind this one."""
        ids = [song.id for song in self.songs]
        place = ids.index(id) + 1
        return ids[place] if place < len(ids) else None

    def remove(self, id: int) -> None:
        """Have the song no more; raises Refused."""
        self.find(id)
        self.songs = [song for song in self.songs if song.id != id]
        if self.loaded is not None and self.loaded.song == id:
            self.loaded = None

    def hear(self, message: Songs | SongPut | SongGone | SongLoaded) -> None:
        """Do what the room says of its list; raises Refused when that does not fit."""
        match message:
            case Songs(songs=songs, loaded=loaded):
                self.songs, self.loaded = songs, loaded
            case SongPut(song=song, before=before):
                self.put(song, before)
            case SongGone(song=id):
                self.remove(id)
            case SongLoaded(loaded=loaded):
                self.loaded = loaded
