"""Recordings, and rooms, that tests make."""

from pathlib import Path

import msgspec
import numpy as np
import soundfile

from midipool.meter import Meter
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.playback.song import TakeSong, song_of
from midipool_client.recording.library import LOCK
from midipool_client.recording.manifest import Manifest, Track, write_manifest

BAR_US = 2_000_000
"""At 120 BPM in 4/4."""


def manifest(seconds: float = 20.0, *timelines: Timeline) -> Manifest:
    """A recording of 120 BPM, 4/4, unless `timelines` say something else."""
    first = timelines[0] if timelines else Timeline(playing=True)
    return Manifest(
        room="demo",
        player="bass",
        format="flac",
        started="",
        state="done",
        rate=48_000,
        bar=5,
        bpm=first.mbpm / 1000,
        meter=str(first.meter),
        seconds=seconds,
        tracks=[
            Track("bass", "input", "01-bass.flac", 1, round(seconds * 48_000)),
            Track("mix", "mix", "02-mix.flac", 2, round(seconds * 48_000)),
            Track("drums", "player", "03-drums.flac", 2, round(seconds * 48_000)),
        ],
        timelines=list(timelines),
    )


def song(seconds: float = 20.0, *timelines: Timeline) -> TakeSong:
    return song_of(manifest(seconds, *timelines))


def room(*timelines: Timeline) -> TimelineChain:
    """Of these timelines; without any it has played at 120 BPM since time 0."""
    return TimelineChain(timelines or (Timeline(playing=True),))


SEVEN_EIGHT = Meter(7, 8)


def recorded(folder: Path, name: str, started: str = "2026-11-28T10:00:00+00:00") -> Path:
    """A recording as one that was made."""
    made = folder / name
    made.mkdir(parents=True)
    for track in manifest().tracks:
        sound = np.zeros((960, track.channels), np.float32)
        soundfile.write(made / track.file, sound, 48_000, "PCM_24")
    (made / "midi.mid").write_bytes(b"MThd")
    described = msgspec.structs.replace(manifest(), started=started, midi="midi.mid")
    write_manifest(made, described)
    (made / LOCK).touch()
    return made
