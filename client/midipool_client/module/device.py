"""A program in the place of a sound device: what the engine of its module works with."""

from midipool_client.audio.device_choice import ModuleChoice
from midipool_client.audio.engine_messages import HeardFrames
from midipool_client.audio.room_device import RoomDevice
from midipool_native.take import TakeDevice

# Of the mix so much waits for the engine's main thread.
HEARD_CYCLES = 64
SAMPLE_BYTES = 4


class ModuleDevice(RoomDevice):
    """The engine's one thread calls this, about every `cycle_s`."""

    def __init__(self, choice: ModuleChoice, channels: int, *, running: bool = True) -> None:
        """Raises NativeError. Without `running` the caller does what its thread does: `step`."""
        device = TakeDevice(choice.rate, channels, heard_cycles=HEARD_CYCLES, running=running)
        super().__init__(f"a module, {choice.rate} Hz", device)
        self.cycle_s = device.period / choice.rate
        self._hears = choice.hears
        self._frame_bytes = SAMPLE_BYTES * channels
        self._end: int | None = None
        """Where what was written ends."""
        self._late = 0

    def forget(self) -> None:
        """Other frames of the room come next."""
        self._end = None

    def heard(self) -> HeardFrames | None:
        """The mix of the next cycle, if it is there."""
        heard = self._device.hear()
        if heard is None:
            return None
        at, frames = heard
        count = len(frames) // self._frame_bytes
        return HeardFrames(at, count, frames if self._hears else b"", self._late)

    def play(self, at: int, frames: bytes) -> None:
        """These from frame `at` of the room on; what is too late, or too soon, is left out."""
        next_frame, count = self._device.take_info().next_frame, len(frames) // self._frame_bytes
        if next_frame is None:
            self._late += count
            return
        # What was written must be followed up to here: there is no gap in what waits.
        if self._end is not None and next_frame < self._end < at:
            self._device.write(self._end, bytes((at - self._end) * self._frame_bytes))
        took = self._device.write(at, frames)
        self._late += max(min(next_frame - at, count), count - took, 0)
        self._end = at + took
