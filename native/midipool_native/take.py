"""A device that is no sound card, on the room's clock: a recording that is played, or a program."""

from dataclasses import dataclass
from typing import Any

from midipool.clock_map import ClockMap
from midipool_native._rt import ffi, lib
from midipool_native.audio import AudioCore, DeviceInfo
from midipool_native.checks import NativeError, check
from midipool_native.spooler import c_clock_map

PERIOD_S = 0.005
HELD_S = 0.6
PRIORITY = 4


@dataclass(frozen=True, slots=True)
class TakeInfo:
    """How it stands; counts since it was opened."""

    next_frame: int | None
    """Of the room: all before is over. None until the room's clock is known."""
    missing: int
    """Frames that had not been written when they were due."""
    jumps: int
    late_cycles: int
    restarts: int
    unheard: int
    """Frames of the mix that nobody took in time."""


class TakeDevice:
    """Runs `core`, whose input is what was written for each moment."""

    def __init__(
        self, rate: int, channels: int, *, heard_cycles: int = 0, running: bool = True
    ) -> None:
        """Raises NativeError. Without `running` the caller does what its thread does: `step`.

        So many cycles of the mix, a power of two, wait for `hear`.
        """
        self.rate, self.channels = rate, channels
        self.period = round(rate * PERIOD_S)
        held = 1 << int(rate * HELD_S).bit_length()
        status = ffi.new("mp_status *")
        settings = ffi.new("mp_take_settings *", [rate, self.period, channels, held, heard_cycles])
        self._take: Any = lib.mp_take_new(settings, status)
        if self._take == ffi.NULL:
            raise NativeError(status[0], f"a device of {rate} Hz, {channels} channels")
        self._heard_at = ffi.new("int64_t *")
        self._heard = ffi.new("float[]", self.period * channels)
        self.core = AudioCore(lib.mp_take_engine(self._take), channels, channels)
        self._priority = self._start() if running else -1

    def _start(self) -> int:
        status = lib.mp_take_start(self._take, PRIORITY)
        if status not in (lib.MP_OK, lib.MP_NOT_PERMITTED):
            self.close()
            raise NativeError(status, "the device's thread")
        return PRIORITY if status == lib.MP_OK else -1

    def step(self, now_ns: int) -> int:
        """A look of the thread, if it is not started; when it wants the next one."""
        return int(lib.mp_take_step(self._take, now_ns))

    def set_map(self, clock_map: ClockMap) -> None:
        """The room's clock from now on."""
        lib.mp_take_set_map(self._take, c_clock_map(clock_map))

    def restart(self) -> None:
        """The room's clock is another one: what was written is forgotten. Raises NativeError."""
        status = lib.mp_take_restart(self._take)
        if status != lib.MP_NOT_PERMITTED:
            check(status, "the device's thread")

    def write(self, at: int, frames: bytes | memoryview) -> int:
        """Interleaved floats from frame `at` of the room on; how many frames are done with."""
        count = len(frames) // (4 * self.channels)
        data = ffi.from_buffer("float[]", frames)
        return int(lib.mp_take_write(self._take, at, data, count))

    def hear(self) -> tuple[int, bytes] | None:
        """The mix of one cycle, interleaved floats from that frame of the room on; None: later."""
        if not lib.mp_take_hear(self._take, self._heard_at, self._heard):
            return None
        return int(self._heard_at[0]), bytes(ffi.buffer(self._heard))

    def take_info(self) -> TakeInfo:
        """How it stands."""
        info = ffi.new("mp_take_info *")
        lib.mp_take_get_info(self._take, info)
        return TakeInfo(
            next_frame=int(info.next_frame) if info.placed else None,
            missing=int(info.missing),
            jumps=int(info.jumps),
            late_cycles=int(info.late_cycles),
            restarts=int(info.restarts),
            unheard=int(info.unheard),
        )

    def info(self) -> DeviceInfo:
        """As a device."""
        restarts = self.take_info().restarts
        return DeviceInfo(self.rate, self.period, restarts, alive=True, priority=self._priority)

    def close(self) -> None:
        """Stop all; `core` must not be used any more. More than once does nothing."""
        if self._take != ffi.NULL:
            lib.mp_take_free(self._take)
            self._take = ffi.NULL
