"""The state's parts about recordings: the one being made, the one being played, and all. Pure."""

from typing import Literal

import msgspec

from midipool.meter import Loop
from midipool_client.recording.manifest import Kind


class TakeTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A track of a recording."""

    file: str
    name: str
    kind: Kind
    seconds: float
    dropped_frames: int = 0
    missing_s: float = 0.0
    """Silent because there was nothing to be recorded."""
    played: bool = True
    """Whether it is heard when the recording is played into the room."""


class TakeView(msgspec.Struct, frozen=True, kw_only=True):
    """A recording."""

    name: str
    state: Literal["waiting", "recording", "done", "cut"]
    why: str = ""
    """Why it ended, if nobody asked for it."""
    room: str = ""
    started: str = ""
    """Local time, ISO 8601."""
    seconds: float = 0.0
    bars: int = 0
    """0 where they are not known."""
    bpm: float = 0.0
    meter: str = ""
    rate: int = 0
    size_bytes: int = 0
    midi: str = ""
    """Its MIDI file; empty where there is none."""
    tracks: list[TakeTrack] = []


class RecordingNow(msgspec.Struct, frozen=True, kw_only=True):
    """What is being recorded."""

    name: str
    phase: Literal["waiting", "recording", "ending"]
    from_us: int | None = None
    """Room time of the first bar line; null while it is not known."""
    tracks: int = 0
    dropped_frames: int = 0


class PlayedNow(msgspec.Struct, frozen=True, kw_only=True):
    """The recording that is played into the room."""

    name: str
    member: str
    """What the room calls it."""
    phase: Literal["waiting", "playing", "paused", "ended"]
    bar: int
    """That plays, or with which it goes on."""
    bars: int
    begins_us: int | None = None
    """Room time at which it goes on, if that is to come."""
    loop: Loop | None = None
    muted: list[str] = []
    """Files of the tracks that are."""
    beside: str = ""
    """For people: why it does not go with the room's bars; empty while it does."""
