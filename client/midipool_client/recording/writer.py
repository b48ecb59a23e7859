"""Writes a recording: a thread that may wait for the disk, while nobody waits for it.

Taps hold 4 s and more; what a disk keeps waiting for longer is silent, and counted.
"""

import logging
import shutil
import threading
import time
from pathlib import Path

from midipool.clock_map import ClockMap
from midipool_client.recording.manifest import Kind, Track
from midipool_client.recording.names import track_file
from midipool_client.recording.track_file import Format, OpenSound, TrackFile, open_sound
from midipool_native.tap import Tap

log = logging.getLogger(__name__)

ROUND_S, HEAD_S = 0.1, 0.5
HELD_S = 4.0
LEAST_FREE_BYTES = 200 << 20
# A WAV file counts its bytes in 32 bits.
MOST_WAV_BYTES = (1 << 32) - (1 << 24)


def nearly_full(folder: Path) -> str:
    """Why nothing more should be written there; empty while there is room. Raises OSError."""
    free = shutil.disk_usage(folder).free
    if free >= LEAST_FREE_BYTES:
        return ""
    return f"the disk is nearly full: {free >> 20} MB are free below {folder}"


def held_frames(rate: int) -> int:
    """So many wait for the disk; a power of two."""
    return 1 << (int(rate * HELD_S) - 1).bit_length()


class Writer:
    """The engine's one other thread adds tracks and ends it; the rest is in the thread's hands."""

    def __init__(
        self,
        folder: Path,
        format: Format,
        rate: int,
        most_bytes: int,
        clock: tuple[ClockMap, int],
        open_sound: OpenSound = open_sound,
    ) -> None:
        """`clock`: the room's, and the first bar line by it, in ns."""
        self.why = ""
        """Why it stopped by itself."""
        self.done = False
        self.clock = clock
        self._folder, self._format, self._rate = folder, format, rate
        self._most_bytes = most_bytes
        self._open_sound = open_sound
        self._new: list[tuple[Track, Tap]] = []
        self._files: list[TrackFile] = []
        self._taps: list[Tap] = []
        self._tracks: list[Track] = []
        self._ending = threading.Event()
        self._next_head_s = 0.0
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def add(self, name: str, kind: Kind, channels: int, whole: bool = True) -> Tap:
        """One more track, whose tap is to be filled; raises Unavailable."""
        tap = Tap(channels, self._rate, held_frames(self._rate))
        self._taps.append(tap)
        called = f"{name}-effects" if kind == "effects" else name
        file = track_file(len(self._taps), called, self._format)
        self._new.append((Track(name, kind, file, channels, whole=whole), tap))
        return tap

    def end(self) -> None:
        """Write what is there and close the files; no source has a tap any more."""
        self._ending.set()

    def wait(self, seconds: float) -> None:
        """Until it is done, if it is so soon."""
        self._thread.join(seconds)

    def tracks(self) -> list[Track]:
        """As far as they are written."""
        return self._tracks

    # ---- the thread ----

    def _run(self) -> None:
        try:
            while not self._ending.wait(ROUND_S) and not self.why:
                self._round()
            if not self.why:
                self._round()
        except (OSError, RuntimeError, ValueError, ImportError) as error:
            self.why = f"cannot record into {self._folder}: {error}"
        for file in self._files:
            file.close()
        self._ending.wait()
        for tap in self._taps:
            tap.close()
        self.done = True

    def _round(self) -> None:
        while self._new:
            track, tap = self._new.pop(0)
            path = self._folder / track.file
            sound = self._open_sound(path, self._rate, track.channels, self._format)
            self._files.append(TrackFile(track, tap, path, sound))
        clock_map, base_ns = self.clock
        for file in self._files:
            file.write(clock_map, base_ns)
        self._tracks = [file.track() for file in self._files]
        if time.monotonic() >= self._next_head_s:
            self._next_head_s = time.monotonic() + HEAD_S
            for file in self._files:
                file.say_length()
            self._look_for_room()

    def _look_for_room(self) -> None:
        sizes = [file.bytes() for file in self._files]
        if sum(sizes) >= self._most_bytes:
            self.why = "the recordings have used what --quota-gb gives them"
        elif self._format == "wav" and max(sizes, default=0) >= MOST_WAV_BYTES:
            self.why = "a WAV file holds 4 GB and no more: use --format flac"
        else:
            self.why = nearly_full(self._folder)
