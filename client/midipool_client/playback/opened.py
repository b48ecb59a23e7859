"""A recording that is to be played: what is wanted of it, and what is needed of the disk."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from midipool.errors import InvalidValue, Refused
from midipool.meter import Loop
from midipool_client.audio.device_choice import TakeChoice
from midipool_client.playback.notes import Note, notes_of
from midipool_client.playback.plan import TakePlan
from midipool_client.playback.song import TakeSong, song_of
from midipool_client.recording.library import Library
from midipool_client.recording.manifest import Manifest, Track

log = logging.getLogger(__name__)

RATES_HZ = (44_100, 96_000)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a recording is to be played."""

    name: str
    from_bar: int = 1
    loop: Loop | None = None
    at_bar: int | None = None
    mute: Sequence[str] = ()
    set_tempo: bool = False


@dataclass(frozen=True, slots=True)
class OpenedTake:
    """What a participant is made of."""

    manifest: Manifest
    song: TakeSong
    tracks: list[Track]
    notes: list[Note]
    choice: TakeChoice


def played_tracks(manifest: Manifest) -> list[Track]:
    """What the room got of each: own input with effects where it had them all along."""
    wet = any(track.kind == "effects" and track.whole for track in manifest.tracks)
    left_out = {"mix", "input" if wet else "effects"}
    return [t for t in manifest.tracks if t.kind not in left_out and t.frames > 0]


def open_take(library: Library, wanted: Wanted) -> OpenedTake:
    """What is needed of the disk; raises MidiPoolError."""
    manifest, path = library.show(wanted.name), library.path(wanted.name)
    if manifest.state in ("waiting", "recording"):
        raise Refused("recording", f"{wanted.name!r} is being recorded: stop it first")
    song, tracks = song_of(manifest), played_tracks(manifest)
    if not tracks:
        raise InvalidValue("recording", "has no tracks to play")
    if not RATES_HZ[0] <= manifest.rate <= RATES_HZ[1]:
        rule = f"is at {manifest.rate} Hz; {RATES_HZ[0]} to {RATES_HZ[1]} can be played"
        raise InvalidValue("recording", rule)
    TakePlan(song, wanted.from_bar, wanted.loop, wanted.at_bar)  # what it would refuse
    muted_of(tracks, wanted.mute)
    choice = TakeChoice(str(path), [track.file for track in tracks], manifest.rate)
    return OpenedTake(manifest, song, tracks, _notes(path, manifest), choice)


def _notes(path: Path, manifest: Manifest) -> list[Note]:
    if manifest.midi is None:
        return []
    try:
        return notes_of((path / manifest.midi).read_bytes())
    except (OSError, InvalidValue) as error:
        log.warning("the recording is played without MIDI: %s", error)
        return []


def muted_of(
    tracks: Sequence[Track], wanted: Sequence[str]
) -> tuple[frozenset[int], frozenset[str]]:
    """(places, names of players) of what is muted; raises InvalidValue."""
    muted: set[int] = set()
    for text in wanted:
        found = {n for n, track in enumerate(tracks) if text in _words(track)}
        if not found:
            known = ", ".join(f"{_number(track)} ({track.name})" for track in tracks)
            raise InvalidValue("mute", f"there is no track {text!r}; there are {known}")
        muted |= found
    return frozenset(muted), frozenset(tracks[number].name for number in muted)


def _words(track: Track) -> tuple[str, ...]:
    """What a track is called."""
    return track.name, track.file, _number(track)


def _number(track: Track) -> str:
    """As `show` lists it, in front of its file's name."""
    return str(int(track.file.split("-")[0])) if track.file[:2].isdecimal() else track.file
