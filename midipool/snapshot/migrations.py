"""Documents of older versions as this one has them. Pure.

Each step takes a document of one version to the next one. A version that was released stays
loadable: tests/midipool/snapshot/kept holds one of each.
"""

from collections.abc import Callable
from typing import Any

from midipool.snapshot.fields import BadSnapshot

VERSION = 1
KEY = "midipool_room"
SONGS_FORMAT = "midiPool songs 1"


def _from_songs(document: dict[str, Any]) -> dict[str, Any]:
    """0 is a song list, as `room URL songs export` writes it."""
    songs = document.get("songs")
    if isinstance(songs, list):
        songs = [_song(song) for song in songs]
    rest = {key: value for key, value in document.items() if key not in ("format", "songs")}
    return {KEY: 1, **rest, "songs": songs}


def _song(song: Any) -> Any:
    if not isinstance(song, dict):
        return song
    return {("tempo" if key == "bpm" else key): value for key, value in song.items()}


_STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {0: _from_songs}


def migrated(said: Any) -> dict[str, Any]:
    """The document in this version; raises BadSnapshot."""
    if not isinstance(said, dict):
        raise BadSnapshot((), f"must be a room: keys with values, `{KEY}: {VERSION}` among them")
    document: dict[str, Any] = said
    version = _version_of(document)
    for step in range(version, VERSION):
        document = _STEPS[step](document)
    return document


def _version_of(document: dict[str, Any]) -> int:
    if document.get("format") == SONGS_FORMAT and KEY not in document:
        return 0
    if KEY not in document:
        raise BadSnapshot((), f"is no room of midiPool: it has no `{KEY}`")
    version = document[KEY]
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BadSnapshot((KEY,), f"must be a version, 1 to {VERSION}")
    if version > VERSION:
        rule = f"is {version}, and this midiPool knows {VERSION} at most: update it"
        raise BadSnapshot((KEY,), rule)
    return version
