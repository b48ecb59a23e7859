"""A tap: what one source of the audio engine has, on the room's clock, for a recording."""

from collections.abc import Iterator
from typing import Any

from midipool.clock_map import ClockMap
from midipool.errors import Unavailable
from midipool_native._rt import ffi, lib
from midipool_native.spooler import c_clock_map

# Own input as it comes in, and with effects.
INPUT: int = lib.MP_TAP_INPUT
PLAYED: int = lib.MP_TAP_PLAYED
MIX: int = lib.MP_TAP_MIX
MOST_FRAMES = 8192


class Tap:
    """Filled by the callback, read by one thread."""

    def __init__(self, channels: int, rate: int, frames: int) -> None:
        """`frames`, a power of two, may wait; raises Unavailable."""
        self.channels = channels
        self.handle: Any = lib.mp_tap_new(channels, rate, frames)
        if self.handle == ffi.NULL:
            raise Unavailable(f"no memory to record {channels} channels of {frames} frames")
        self._frames = ffi.new("float[]", MOST_FRAMES * channels)
        self._hole = ffi.new("mp_hole *")

    def read(self, clock_map: ClockMap, base_ns: int) -> memoryview:
        """The next frames of a sound that begins at `base_ns`, as floats; empty: no more yet.

        What is returned is good until the next call.
        """
        got = lib.mp_tap_read(
            self.handle, c_clock_map(clock_map), base_ns, self._frames, MOST_FRAMES
        )
        return memoryview(ffi.buffer(self._frames, got * self.channels * 4))

    def write(self, frames: bytes, captured_ns: int) -> None:
        """As the callback does: frames of which the first was captured then."""
        count = len(frames) // (4 * self.channels)
        lib.mp_tap_write(self.handle, ffi.from_buffer("float[]", frames), count, captured_ns)

    def holes(self) -> Iterator[tuple[int, int]]:
        """Silence between sounds that `read` met since the last call: first frame, and how many."""
        while lib.mp_tap_hole(self.handle, self._hole):
            yield self._hole.at, self._hole.frames

    @property
    def dropped(self) -> int:
        """Frames that found no room."""
        return int(lib.mp_tap_dropped(self.handle))

    def close(self) -> None:
        """Free it, once no source has it."""
        lib.mp_tap_free(self.handle)
        self.handle = ffi.NULL
