"""How long a sound file says it is: written into its head while the file grows.

So a file whose writer was killed opens, and lasts as long as it says. The library writes the same
places when it closes the file.
"""

import os
import struct
from pathlib import Path

# libFLAC keeps up to a block of frames, and libsndfile as much again.
FLAC_HELD_FRAMES = 2 * 4096
_LOOK_BYTES = 4096


class Head:
    """Of one file that is being written: WAV or FLAC."""

    def __init__(self, path: Path, frame_bytes: int) -> None:
        """Once the library wrote the head; raises OSError, or ValueError if it is none of ours."""
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._frame_bytes = frame_bytes
        try:
            head = os.pread(self._file, _LOOK_BYTES, 0)
            self._flac = head[:4] == b"fLaC"
            self._data_at = 0 if self._flac else head.index(b"data", 12) + 8
        except BaseException:
            self.close()
            raise

    def say(self, frames: int) -> None:
        """So many frames were given to the library; raises OSError."""
        if self._flac:
            self._say_flac(max(frames - FLAC_HELD_FRAMES, 1))
            return
        size = min(frames * self._frame_bytes, (1 << 32) - 1 - self._data_at)
        os.pwrite(self._file, struct.pack("<I", size), self._data_at - 4)
        os.pwrite(self._file, struct.pack("<I", self._data_at + size - 8), 4)

    def _say_flac(self, frames: int) -> None:
        # 0 is "unknown", which the library takes for endless.
        # STREAMINFO: the low 36 bits of the eight bytes behind the frame sizes.
        place = 4 + 4 + 10
        word = int.from_bytes(os.pread(self._file, 8, place), "big")
        word = word >> 36 << 36 | frames & (1 << 36) - 1
        os.pwrite(self._file, word.to_bytes(8, "big"), place)

    def close(self) -> None:
        """The library says the rest."""
        os.close(self._file)
