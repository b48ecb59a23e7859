"""A recording in the place of a sound device: what the engine of its participant works with."""

from pathlib import Path
from typing import Any

from midipool_client.audio.device_choice import TakeChoice
from midipool_client.audio.room_device import RoomDevice
from midipool_client.playback.pieces import Span, TakePiece, spans_of
from midipool_client.playback.reader import Block, TakeReader
from midipool_client.playback.sound import CHANNELS, FADE_S, fade_out, stereo
from midipool_native.take import TakeDevice

# So far ahead of what is sent the tracks are summed: a mute is heard so much later.
SUMMED_S = 0.3


class TakePlayback(RoomDevice):
    """The engine's one thread calls this; `trouble` is to be called often."""

    def __init__(self, choice: TakeChoice, *, running: bool = True) -> None:
        """Raises NativeError. Without `running` the caller does what its thread does: `step`."""
        device = TakeDevice(choice.rate, CHANNELS, running=running)
        super().__init__(f"the recording {Path(choice.folder).name}, {choice.rate} Hz", device)
        self._rate = choice.rate
        paths = [Path(choice.folder, name) for name in choice.files]
        self._reader = TakeReader(paths, choice.rate)
        self._spans: list[Span] = []
        self._wanted = self._gains = [1.0] * len(paths)
        self._at: int | None = None

    # ---- what the client says ----

    def play(self, pieces: list[TakePiece]) -> None:
        """This from now on; what is summed already stays."""
        self._spans = spans_of(pieces, self._rate)
        self._reader.want(self._spans)

    def mute(self, tracks: list[int]) -> None:
        """These tracks, counted from 0, are silent."""
        self._wanted = [0.0 if number in tracks else 1.0 for number in range(len(self._wanted))]

    def forget(self) -> None:
        """Other frames of the room come next."""
        self._reader.forget()
        self._at = None

    # ---- as a device ----

    def trouble(self) -> str:
        """Never any; what is due is done on the way."""
        self.tend()
        return ""

    def note(self) -> str:
        """Which track cannot be read."""
        return self._reader.why

    def close(self) -> None:
        """Stop all; `core` must not be used any more."""
        self._reader.close()
        super().close()

    # ---- time ----

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
