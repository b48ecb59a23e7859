"""One track of a recording while it is written: from its tap into its file."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from midipool.clock_map import ClockMap
from midipool_client.recording.heads import Head
from midipool_client.recording.manifest import MOST_HOLES, Hole, Track
from midipool_native.tap import Tap

SUBTYPE, SAMPLE_BYTES = "PCM_24", 3
Format = Literal["flac", "wav"]
OpenSound = Callable[[Path, int, int, Format], Any]


def open_sound(path: Path, rate: int, channels: int, format: Format) -> Any:
    """A new file to write to; raises OSError or RuntimeError."""
    import soundfile  # numpy comes with it, which the engine needs for nothing else

    return soundfile.SoundFile(path, "x", rate, channels, SUBTYPE, format=format.upper())


class TrackFile:
    """Written by one thread; what it raises is OSError or RuntimeError, the library's."""

    def __init__(self, track: Track, tap: Tap, path: Path, file: Any) -> None:
        self._track, self._tap, self._path, self._file = track, tap, path, file
        self._head: Head | None = None
        self._frames = self._missing = 0
        self._holes: list[Hole] = []

    def write(self, clock_map: ClockMap, base_ns: int) -> None:
        """All that there is; what the room's clock has not come to yet comes later."""
        frame_bytes = self._tap.channels * 4
        while frames := self._tap.read(clock_map, base_ns):
            self._file.buffer_write(frames, dtype="float32")
            self._frames += len(frames) // frame_bytes
            self._note_holes()

    def _note_holes(self) -> None:
        for at, frames in self._tap.holes():
            self._missing += frames
            if len(self._holes) < MOST_HOLES:
                self._holes.append(Hole(at, frames))

    def say_length(self) -> None:
        """Into the head: what was written up to here opens if we die."""
        if self._head is None and self._frames:
            self._head = Head(self._path, self._tap.channels * SAMPLE_BYTES)
        if self._head is not None:
            self._head.say(self._frames)

    def bytes(self) -> int:
        """Its size on the disk."""
        return self._path.stat().st_size

    def track(self) -> Track:
        """As far as it is."""
        return msgspec.structs.replace(
            self._track,
            frames=self._frames,
            dropped_frames=self._tap.dropped,
            missing_frames=self._missing,
            holes=list(self._holes),
        )

    def close(self) -> None:
        """The library writes the rest."""
        with contextlib.suppress(OSError, RuntimeError):
            self._file.close()
        if self._head is not None:
            self._head.close()
