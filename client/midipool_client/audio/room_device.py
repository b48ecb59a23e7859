"""A device that is no sound card, and whose clock is the room's: what both kinds of it share."""

from midipool.clock_map import ClockMap
from midipool_native import host_clock
from midipool_native.audio import AudioCore, DeviceInfo
from midipool_native.portless import Portless
from midipool_native.take import TakeDevice

# A room clock that shows so much less is another one.
OTHER_CLOCK_NS = -1_000_000_000


class RoomDevice(Portless):
    """The engine's one thread calls this; `trouble` is to be called often."""

    def __init__(self, text: str, device: TakeDevice) -> None:
        self.text = text
        self._device = device
        self._map: ClockMap | None = None

    @property
    def core(self) -> AudioCore:
        """The engine in C."""
        return self._device.core

    def follow_clock(self, clock_map: ClockMap) -> None:
        """The room's clock as it is now."""
        now_ns, before = host_clock.now_ns(), self._map
        self._map = clock_map
        self._device.set_map(clock_map)
        if before is not None:
            step_ns = clock_map.room_at(now_ns) - before.room_at(now_ns)
            if step_ns < OTHER_CLOCK_NS:
                self._device.restart()
                self.forget()

    def forget(self) -> None:
        """Other frames of the room come next."""

    def info(self) -> DeviceInfo:
        """How it stands."""
        return self._device.info()

    def trouble(self) -> str:
        """Never any."""
        return ""

    def close(self) -> None:
        """Stop all; `core` must not be used any more."""
        self._device.close()

    def step(self, now_ns: int) -> int:
        """A look of the thread, if it is not started; when it wants the next one."""
        return self._device.step(now_ns)
