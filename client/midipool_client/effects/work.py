"""The thread with a deadline: takes each block, lets it through the boards, and gives it back."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from midipool_client.effects.chain import Chain
from midipool_client.effects.messages import EffectsConfig
from midipool_client.effects.stage import Block, Stage
from midipool_client.effects.tuner import FRAMES
from midipool_native import host_clock
from midipool_native._rt import ffi
from midipool_native.effects import (
    INPUT,
    MAX_CHANNELS,
    MIX,
    MOST_FRAMES,
    EffectsMemory,
    EffectsWorker,
    OwnEffect,
)

WAIT_NS = 200_000_000
_FLOATS = np.dtype(np.float32)
MOST_VIEWS = 16


class Work:
    """Boards at work, by place. What it is told is there with the next block."""

    def __init__(self, memory: EffectsMemory, config: EffectsConfig) -> None:
        channels = [str(n) for n in range(1, config.in_channels + 1)]
        self.chains: Mapping[str, Chain] = {
            place: Chain() for place in (*channels, "own", "master")
        }
        self.busy_since_ns = 0
        """0 while it waits."""
        self.realtime = False
        self._tuned = 0
        self._config = config
        self._by_channel = [self.chains[name] for name in channels]
        self._worker = EffectsWorker(memory, config.rate, config.in_channels, config.out_channels)
        self._channels = {INPUT: config.in_channels, MIX: config.out_channels}
        self._memory: Block = np.zeros(MAX_CHANNELS * MOST_FRAMES, np.float32)
        self._views: dict[tuple[int, int], Block] = {}
        self._pointer: Any = ffi.from_buffer("float[]", self._memory)
        self._heard: Block = np.zeros(FRAMES, np.float32)
        self._heard_at = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Work until stopped."""
        self._thread.start()

    def stop(self) -> None:
        """Wait until it has ended."""
        self._stopping = True
        self._thread.join()

    def want(self, chain: Chain, stages: Sequence[Stage]) -> None:
        """Have this on a board."""
        chain.want(stages)
        self._worker.recall()

    @property
    def tuned(self) -> int:
        """The own channel that a tuner hears, from 1 on; 0 is none."""
        return self._tuned

    @tuned.setter
    def tuned(self, channel: int) -> None:
        self._tuned = channel
        self._worker.recall()

    def load(self) -> tuple[float, float]:
        """Of a period: in the mean, and at most since the last call."""
        return self._worker.load()

    def heard(self) -> Block:
        """The last sound of the channel that is tuned, the oldest first."""
        at = self._heard_at
        return np.concatenate((self._heard[at:], self._heard[:at]))

    @property
    def latency_frames(self) -> tuple[int, int]:
        """That effects add beyond their block: own channels, master."""
        each = max((chain.latency for chain in self._by_channel), default=0)
        return each + self.chains["own"].latency, self.chains["master"].latency

    def tell_latency(self) -> None:
        """Let the audio engine know how much later effects let sound out; any thread."""
        for place, frames in zip((INPUT, MIX), self.latency_frames, strict=True):
            self._worker.set_latency(place, frames)

    def _run(self) -> None:
        if self._config.priority:
            self.realtime = host_clock.realtime_thread(self._config.priority)
        worker, now_ns = self._worker, host_clock.now_ns
        last_ns = now_ns()
        while not self._stopping:
            waiting = worker.wait(last_ns + WAIT_NS)
            if not waiting:
                last_ns = now_ns()
                continue
            began_ns = self.busy_since_ns = now_ns()
            frames = self._serve(INPUT) if waiting & 1 << INPUT else 0
            if waiting & 1 << MIX:
                frames = max(frames, self._serve(MIX))
            last_ns = now_ns()
            self.busy_since_ns = 0
            if frames:
                worker.note_load((last_ns - began_ns) * 1e-9 * self._config.rate / frames)

    def _serve(self, place: int) -> int:
        frames = self._worker.take(place, self._pointer, MOST_FRAMES)
        if frames:
            block = self._views.get((place, frames))
            if block is None:
                block = self._viewed(place, frames)
            out = self._own(block) if place == INPUT else self.chains["master"].process(block)
            self._worker.give(place, self._pointer if out is block else _pointer(out), frames)
            if (steps := self._own_steps(place)) is not None:
                self._worker.work(place, steps)
        return frames

    def _own_steps(self, place: int) -> list[tuple[OwnEffect, int]] | None:
        """What a place is worked by, if the interpreter is not needed for it."""
        if place == INPUT and self._tuned:
            return None
        boards = [(self.chains["own" if place == INPUT else "master"], 0)]
        if place == INPUT:
            boards = [(chain, n) for n, chain in enumerate(self._by_channel)] + boards
        steps: list[tuple[OwnEffect, int]] = []
        for chain, channel in boards:
            if (own := chain.own) is None:
                return None
            steps += [(effect, channel) for effect in own]
        return steps

    def _viewed(self, place: int, frames: int) -> Block:
        """The memory as a block; periods are of one length, so it is asked for once."""
        channels = self._channels[place]
        block = self._memory[: channels * frames].reshape(channels, frames)
        if len(self._views) < MOST_VIEWS:
            self._views[place, frames] = block
        return block

    def _own(self, block: Block) -> Block:
        tuned = self._tuned
        if 0 < tuned <= block.shape[0]:
            self._hear(block[tuned - 1])
        for channel, chain in enumerate(self._by_channel):
            if not chain.empty:
                row = block[channel : channel + 1]
                out = chain.process(row)
                if out is not row:
                    row[:] = out
        common = self.chains["own"]
        return block if common.empty else common.process(block)

    def _hear(self, sound: Block) -> None:
        frames = sound.size
        at = self._heard_at
        first = min(frames, FRAMES - at)
        self._heard[at : at + first] = sound[:first]
        self._heard[: frames - first] = sound[first:]
        self._heard_at = (at + frames) % FRAMES


def _pointer(block: Block) -> Any:
    """To its frames, one channel after the other. What need not be copied is not: at each block
    numpy is out of the processor's cache again."""
    if block.dtype is not _FLOATS or not block.flags.c_contiguous:
        block = np.ascontiguousarray(block, _FLOATS)
    return ffi.from_buffer("float[]", block)
