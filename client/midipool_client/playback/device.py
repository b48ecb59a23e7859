"""A recording in the place of a sound device: what the engine of its participant works with."""

from pathlib import Path
from typing import Any

from midipool.clock_map import ClockMap
from midipool_client.audio.device_choice import TakeChoice
from midipool_client.playback.pieces import Span, TakePiece, spans_of
from midipool_client.playback.reader import Block, TakeReader
from midipool_client.playback.sound import CHANNELS, FADE_S, fade_out, stereo
from midipool_native import host_clock
from midipool_native.audio import AudioCore, DeviceInfo
from midipool_native.take import TakeDevice

# So far ahead of what is sent the tracks are summed: a mute is heard so much later.
SUMMED_S = 0.3
# A room clock that shows so much less is another one.
OTHER_CLOCK_NS = -1_000_000_000


class TakePlayback:
    """The engine's one thread calls this; `trouble` is to be called often."""

    def __init__(self, choice: TakeChoice, *, running: bool = True) -> None:
        """Raises NativeError. Without `running` the caller does what its thread does: `step`."""
        self.text = f"the recording {Path(choice.folder).name}, {choice.rate} Hz"
        self._rate = choice.rate
        self._device = TakeDevice(choice.rate, CHANNELS, running=running)
        paths = [Path(choice.folder, name) for name in choice.files]
        self._reader = TakeReader(paths, choice.rate)
        self._spans: list[Span] = []
        self._wanted = self._gains = [1.0] * len(paths)
        self._at: int | None = None
        self._map: ClockMap | None = None

    @property
    def core(self) -> AudioCore:
        """The engine in C."""
        return self._device.core

    # ---- what the client says ----

    def play(self, pieces: list[TakePiece]) -> None:
        """This from now on; what is summed already stays."""
        self._spans = spans_of(pieces, self._rate)
        self._reader.want(self._spans)

    def mute(self, tracks: list[int]) -> None:
        """These tracks, counted from 0, are silent."""
        self._wanted = [0.0 if number in tracks else 1.0 for number in range(len(self._wanted))]

    def follow_clock(self, clock_map: ClockMap) -> None:
        """The room's clock as it is now."""
        now_ns, before = host_clock.now_ns(), self._map
        self._map = clock_map
        self._device.set_map(clock_map)
        if before is not None:
            step_ns = clock_map.room_at(now_ns) - before.room_at(now_ns)
            if step_ns < OTHER_CLOCK_NS:
                self._device.restart()
                self._reader.forget()
                self._at = None

    # ---- as a device ----

    def info(self) -> DeviceInfo:
        """How it stands."""
        return self._device.info()

    def trouble(self) -> str:
        """Never any; what is due is done on the way."""
        self.tend()
        return ""

    def note(self) -> str:
        """Which track cannot be read."""
        return self._reader.why

    def add_ports(self, slot: int, name: str) -> None:
        """Nothing: nobody listens here."""

    def remove_ports(self, slot: int) -> None:
        """Nothing."""

    def connections(self) -> list[tuple[str, str]]:
        """None: there are no ports to connect."""
        return []

    def connect(self, own: str, other: str) -> bool:
        """There is nothing to connect."""
        return False

    def close(self) -> None:
        """Stop all; `core` must not be used any more."""
        self._reader.close()
        self._device.close()

    # ---- time ----

    def step(self, now_ns: int) -> int:
        """A look of the thread, if it is not started; when it wants the next one."""
        return self._device.step(now_ns)

    @property
    def summed_s(self) -> float:
        """So much is there ahead of what is sent."""
        next_frame = self._device.take_info().next_frame
        if next_frame is None or self._at is None:
            return 0.0
        return (self._at - next_frame) / self._rate

    @property
    def missing(self) -> int:
        """Frames that were not there in time, so far."""
        return self._device.take_info().missing

    def tend(self) -> None:
        """Sum what is due soon."""
        next_frame = self._device.take_info().next_frame
        if next_frame is None:
            return
        if self._at is None or self._at < next_frame:
            self._at = next_frame + self._device.period
        until = next_frame + round(self._rate * SUMMED_S)
        while self._at < until:
            block = self._reader.next(self._at)
            if block is None or not self._sum(block, self._at):
                return

    def _sum(self, block: Block, at: int) -> bool:
        """Hand a block, or what is left of it, to the device; False when it is full."""
        skip = at - block.at
        mixed = self._mixed(block)[skip:]
        took = self._device.write(at, memoryview(mixed).cast("B"))
        self._at = at + took
        if took == len(mixed):
            self._gains = self._wanted
        return took > 0

    def _mixed(self, block: Block) -> Any:
        sounds = block.sounds if block.sounds is not None else [None] * len(self._gains)
        mixed = stereo(sounds, self._gains, self._wanted, block.frames)
        if block.sounds is not None and self._ends(block):
            fade_out(mixed, round(self._rate * FADE_S))
        return mixed

    def _ends(self, block: Block) -> bool:
        """Whether something else than its continuation follows."""
        end, take_end = block.at + block.frames, (block.take or 0) + block.frames
        return not any(
            span.begin <= end < span.end and span.take + end - span.begin == take_end
            for span in self._spans
        )
