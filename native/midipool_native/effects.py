"""What audio engine and effects engine share, and effects of our own in C."""

import fcntl
import mmap
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from midipool.errors import Unavailable
from midipool_native._rt import ffi, lib
from midipool_native.audio import AudioCore
from midipool_native.checks import OK, check

INPUT: int = lib.MP_PLACE_INPUT
MIX: int = lib.MP_PLACE_MIX
PLACES: int = lib.MP_PLACES
OFF: int = lib.MP_INSERT_OFF
FEED: int = lib.MP_INSERT_FEED
ON: int = lib.MP_INSERT_ON
MOST_FRAMES: int = lib.MP_MAX_PERIOD
MAX_CHANNELS: int = lib.MP_MAX_CHANNELS


class EffectsMemory:
    """Memory without a name, which two programs map by the file handle that they inherit."""

    def __init__(self, fd: int) -> None:
        """Map what `create` made; raises Unavailable."""
        self.fd = fd
        size = lib.mp_effects_bytes()
        try:
            if os.fstat(fd).st_size != size:
                raise Unavailable("the memory for effects has another size: another midiPool?")
            self._map = mmap.mmap(fd, size)
        except OSError as error:
            raise Unavailable(f"the memory for effects cannot be mapped: {error}") from None
        self._buffer: Any = ffi.from_buffer(self._map)
        self.handle: Any = ffi.cast("void *", self._buffer)

    @classmethod
    def create(cls) -> "EffectsMemory":
        """New memory; raises Unavailable."""
        try:
            fd = _unnamed_file()
            os.ftruncate(fd, lib.mp_effects_bytes())
            if hasattr(fcntl, "F_ADD_SEALS"):
                seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
                fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
        except OSError as error:
            raise Unavailable(f"no memory for effects: {error}") from None
        return cls(fd)

    def mark(self, which: int, what: int) -> None:
        """Note what this program is at."""
        lib.mp_effects_mark(self.handle, which, what)

    def marked(self, which: int) -> int:
        """What was noted last, also by a program that is dead."""
        return int(lib.mp_effects_marked(self.handle, which))

    def __del__(self) -> None:
        # The mapping goes by itself, once nobody has it any more.
        if hasattr(self, "handle"):
            os.close(self.fd)


def _unnamed_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("midipool-effects", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


@dataclass(frozen=True, slots=True)
class InsertStats:
    """How effects in one place of the audio engine do."""

    blocks: int
    late: int
    """Of these, played without effects because they were not there in time."""
    older_frames: int
    """By which all is older now."""
    inserted: bool


def use_effects(core: AudioCore, memory: EffectsMemory) -> None:
    """Let an audio engine work with this memory; raises NativeError."""
    check(lib.mp_audio_set_effects(core.handle, memory.handle), "memory for effects")


def set_insert(core: AudioCore, place: int, mode: int) -> None:
    """OFF, FEED or ON; raises NativeError."""
    check(lib.mp_audio_set_insert(core.handle, place, mode), f"effects in place {place}")


def insert_stats(core: AudioCore, place: int) -> InsertStats:
    """How it does; raises NativeError."""
    stats = ffi.new("mp_insert_stats *")
    check(lib.mp_audio_insert_stats(core.handle, place, stats), f"effects in place {place}")
    return InsertStats(stats.blocks, stats.late, stats.older_frames, bool(stats.inserted))


class EffectsWorker:
    """The effects engine's end. One thread may use it."""

    def __init__(
        self, memory: EffectsMemory, rate: int, in_channels: int, out_channels: int
    ) -> None:
        made = lib.mp_effects_worker_new(memory.handle, rate, in_channels, out_channels)
        if made == ffi.NULL:
            raise Unavailable(
                f"no effects for {rate} Hz, {in_channels} and {out_channels} channels"
            )
        self._handle: Any = ffi.gc(made, lib.mp_effects_worker_free)
        self._at_work: dict[int, list[OwnEffect]] = {}

    def wait(self, until_ns: int) -> int:
        """Wait until a cycle has left something, without the interpreter's lock.

        A bit for each place that has: 1 << INPUT, 1 << MIX; 0 if none has until then. What has
        work (`work`) is done meanwhile.
        """
        return int(lib.mp_effects_wait(self._handle, until_ns))

    def take(self, place: int, planar: Any, most: int) -> int:
        """Fill `planar`, one channel after the other; how many frames of each."""
        return int(lib.mp_effects_take(self._handle, place, planar, most))

    def give(self, place: int, planar: Any, frames: int) -> None:
        """What became of what was taken last."""
        lib.mp_effects_give(self._handle, place, planar, frames)

    def work(self, place: int, steps: Sequence[tuple["OwnEffect", int]]) -> bool:
        """Have `wait` work a place itself, by these effects, each from a channel on; or not (any
        more). The thread that waits. False for too many."""
        made = ffi.new("mp_effects_step[]", [(own.handle, channel) for own, channel in steps])
        if lib.mp_effects_set_steps(self._handle, place, made, len(steps)) != OK:
            return False
        # They must live as long as they are worked.
        self._at_work[place] = [own for own, _ in steps]
        return True

    def recall(self) -> None:
        """Have `wait` say all places again, from the next block on; any thread."""
        lib.mp_effects_recall(self._handle)

    def note_load(self, load: float) -> None:
        """What `wait` did not do took so much of a period; the thread that waits."""
        lib.mp_effects_note_load(self._handle, load)

    def load(self) -> tuple[float, float]:
        """Of a period: in the mean, and at most since the last call. One thread at a time."""
        found = ffi.new("mp_effects_load *")
        lib.mp_effects_get_load(self._handle, found)
        return float(found.mean), float(found.most)

    def set_latency(self, place: int, frames: int) -> None:
        """So much later the effects in a place let sound out, beyond their block."""
        lib.mp_effects_set_latency(self._handle, place, frames)


class OwnEffect:
    """An effect in C."""

    def __init__(self, kind: str, channels: int, rate: int) -> None:
        """`kind` is one of mp_fx_kind without its MP_FX_, in small letters."""
        made = lib.mp_fx_new(getattr(lib, f"MP_FX_{kind.upper()}"), channels, rate)
        if made == ffi.NULL:
            raise Unavailable(f"no {kind} for {channels} channels at {rate} Hz")
        self.handle: Any = ffi.gc(made, lib.mp_fx_free)
        self.latency = int(lib.mp_fx_latency(made))

    def set(self, values: Sequence[float]) -> None:
        """As mp_fx.h says."""
        padded = [*values, *[0.0] * (lib.MP_FX_VALUES - len(values))]
        lib.mp_fx_set(self.handle, ffi.new("float[]", padded))

    def process(self, planar: Any, frames: int) -> None:
        """Frames in memory that is writable and whole, one channel after the other."""
        lib.mp_fx_process(self.handle, ffi.from_buffer("float[]", planar), frames)
