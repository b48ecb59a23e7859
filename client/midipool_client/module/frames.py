"""What a module hears and plays, in frames of the room's clock: frame 0 is room time 0. Pure."""

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from midipool.errors import InvalidValue

Frames = NDArray[np.float32]

# What a module has not read yet; all older is left out.
MOST_WAITING_S = 0.2
# What is further ahead was not missed: the clock was set.
JUMP_S = 10.0


class Cut(NamedTuple):
    """A block of the mix that begins at frame `at` of the room."""

    at: int
    frames: Frames


class HeardMix:
    """Cuts what comes into blocks of one size, and keeps the newest of them."""

    def __init__(self, channels: int, engine_channels: int, block_frames: int, rate: int) -> None:
        self.overruns = 0
        """Frames that came and were not read in time."""
        self.reading = False
        """Whether the module reads at all: one that only plays misses nothing."""
        self._channels, self._engine_channels = channels, engine_channels
        self._block = block_frames
        self._most = max(round(rate * MOST_WAITING_S) // block_frames, 2)
        self._jump = round(rate * JUMP_S)
        self._parts: list[Frames] = []
        self._begin = 0
        self._end: int | None = None
        self._ready: deque[Cut] = deque()

    def came(self, at: int, count: int, frames: bytes) -> None:
        """`count` frames of the mix from frame `at` on; no bytes: nothing is heard."""
        if at != self._end:
            missed = 0 if self._end is None else at - self._end
            if self.reading and 0 < missed < self._jump:
                self.overruns += at - self._begin
            self._parts, self._begin = [], at
        self._end = end = at + count
        self._parts.append(self._as_wanted(count, frames))
        while end - self._begin >= self._block:
            self._cut()
        while len(self._ready) > self._most:
            self._ready.popleft()
            self.overruns += self._block if self.reading else 0

    def next(self) -> Cut | None:
        """The oldest block that was not read; None while there is none."""
        if not self.reading:  # what came before is no news
            self.reading = True
            while len(self._ready) > 1:
                self._ready.popleft()
        return self._ready.popleft() if self._ready else None

    def forget(self) -> None:
        """What waits belongs to the clock of before."""
        self._ready.clear()
        self._end = None

    def _cut(self) -> None:
        frames = np.concatenate(self._parts)
        rest = frames[self._block :]
        self._ready.append(Cut(self._begin, frames[: self._block]))
        self._parts = [rest]
        self._begin += self._block

    def _as_wanted(self, count: int, frames: bytes) -> Frames:
        if not frames or not self._channels:
            return np.zeros((count, self._channels), np.float32)
        return fitted(
            np.frombuffer(frames, np.float32).reshape(-1, self._engine_channels), self._channels
        )


class PlayedPlace:
    """Where in the room's time the next frames of a module go."""

    def __init__(self, latency_frames: int) -> None:
        self.latency_frames = latency_frames
        self.underruns = 0
        """Frames that the module left out because it wrote nothing in time."""
        self.next: int | None = None
        """Right behind what was written last."""
        self._due: int | None = None

    def read(self, at: int) -> None:
        """The module has read the block that begins at `at`: what it writes now is its answer."""
        self._due = at + self.latency_frames

    def forget(self) -> None:
        """The room's clock is another one."""
        self.next = self._due = None

    def place(self, count: int, now: int, at: int | None = None) -> int:
        """Where `count` frames go that are written at frame `now`, or that are to go to `at`.

        Behind the last ones, but never before the answer to the block that was read last; and
        where nothing is read, as soon as may be when nothing is left of what was written.
        """
        begin = at
        if begin is None and self._due is not None:
            begin = self._due if self.next is None else max(self.next, self._due)
        elif begin is None and self.next is not None and self.next >= now:
            begin = self.next
        elif begin is None:
            begin = now + self.latency_frames
            self.underruns += 0 if self.next is None else begin - self.next
        self.next = begin + count
        return begin


def fitted(frames: Frames, channels: int) -> Frames:
    """The same sound in so many channels: fewer are put on all, more are summed evenly."""
    there = frames.shape[1]
    if there == channels:
        return frames
    if there < channels:
        return np.ascontiguousarray(np.resize(frames.T, (channels, len(frames))).T)
    folded = frames.reshape(len(frames), there // channels, channels)
    return np.ascontiguousarray(folded.mean(axis=1, dtype=np.float32))


def frames_of(given: Any, channels: int, engine_channels: int) -> Frames:
    """What a module writes, as the engine takes it; raises InvalidValue."""
    wanted = f"must be (n,) or (n, {channels}) numbers"
    try:
        frames = np.asarray(given, dtype=np.float32)
    except (TypeError, ValueError):
        raise InvalidValue("frames", f"{wanted}, not {type(given).__name__}") from None
    if frames.ndim == 1:
        frames = frames[:, np.newaxis]
    if frames.ndim != 2 or frames.shape[1] not in (1, channels):
        raise InvalidValue("frames", f"{wanted}, not of the shape {np.shape(given)}")
    if not np.isfinite(frames).all():
        raise InvalidValue("frames", "must be finite: there is a NaN or an infinity among them")
    return fitted(fitted(frames, channels), engine_channels)
