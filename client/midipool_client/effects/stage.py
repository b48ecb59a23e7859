"""One effect at work: what sound passes, in blocks of one channel after the other."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from midipool_native.effects import EffectsMemory, OwnEffect

Block = NDArray[np.float32]
Values = Mapping[str, Any]
# Set values for a tempo, in beats a minute.
Apply = Callable[[Values, float], None]


class Unit(Protocol):
    """A part of an effect."""

    @property
    def latency(self) -> int:
        """Frames by which it lets sound out later."""

    def __call__(self, block: Block) -> Block:
        """A block becomes another one, as long; the one that went in may be used for it."""


class Pedal:
    """An effect of pedalboard's."""

    latency = 0

    def __init__(self, plugin: Any, rate: int) -> None:
        self.plugin, self._rate = plugin, rate

    def __call__(self, block: Block) -> Block:
        """Sound behind it."""
        out: Block = self.plugin.process(block, self._rate, block.shape[1], False)
        return out


class Own:
    """An effect of ours."""

    def __init__(self, kind: str, channels: int, rate: int) -> None:
        self.effect = OwnEffect(kind, channels, rate)
        self.latency = self.effect.latency
        self.set = self.effect.set

    def __call__(self, block: Block) -> Block:
        """Sound behind it."""
        if not block.flags.c_contiguous:
            block = np.ascontiguousarray(block)
        self.effect.process(block, block.shape[1])
        return block


class Held:
    """Blocks of a plug-in that gives back less than it got, as some with latency do at first."""

    def __init__(self) -> None:
        self._waiting: Block | None = None
        self.lacked = 0
        """Frames that were silent in front."""

    def whole(self, out: Block, frames: int) -> Block:
        """As many frames as went in."""
        if self._waiting is None and out.shape[1] == frames:
            return out
        waiting = out if self._waiting is None else np.concatenate((self._waiting, out), axis=1)
        lacking = frames - waiting.shape[1]
        if lacking > 0:
            self.lacked += lacking
            waiting = np.pad(waiting, ((0, 0), (lacking, 0)))
        self._waiting = waiting[:, frames:]
        return np.ascontiguousarray(waiting[:, :frames])


class Foreign:
    """A plug-in: somebody else's program within ours. While it works, a mark says so.

    Several are copies of one for fewer channels than there are, each with its own.
    """

    def __init__(
        self, plugins: Sequence[Any], rate: int, id: int, doubled: bool, memory: EffectsMemory
    ) -> None:
        """`doubled`: it wants two channels, and the board has one."""
        self._plugins = [(plugin, Held()) for plugin in plugins]
        self._rate, self._id = rate, id
        self._doubled, self._memory = doubled, memory

    @property
    def latency(self) -> int:
        """What it says, or what it held back."""
        said = [getattr(plugin, "reported_latency_samples", 0) for plugin, _ in self._plugins]
        return max(*map(int, said), *(held.lacked for _, held in self._plugins))

    def __call__(self, block: Block) -> Block:
        """Sound behind it."""
        self._memory.mark(0, self._id)
        try:
            if len(self._plugins) == 1:
                return self._through(*self._plugins[0], block)
            parts = zip(self._plugins, np.split(block, len(self._plugins)), strict=True)
            return np.concatenate([self._through(*plugin, part) for plugin, part in parts])
        finally:
            self._memory.mark(0, 0)

    def _through(self, plugin: Any, held: Held, block: Block) -> Block:
        frames = block.shape[1]
        given = np.repeat(block, 2, axis=0) if self._doubled else block
        out: Block = plugin.process(given, self._rate, frames, False)
        if self._doubled:
            out = out.mean(axis=0, keepdims=True, dtype=np.float32)
        return held.whole(out, frames)


class Stage:
    """An effect of a board. `wet` goes over to `target` within a block."""

    def __init__(self, units: Sequence[Unit], apply: Apply) -> None:
        self.apply = apply
        self.wet, self.target = 0.0, 1.0
        self.id = 0
        self.broken = ""
        """Why it does nothing any more."""
        self.found: Mapping[str, float] = {}
        """What a plug-in lets be set, from 0 to 1, as it is."""
        self._units = units

    @property
    def latency(self) -> int:
        """Frames by which it lets sound out later."""
        return sum(unit.latency for unit in self._units)

    def process(self, block: Block) -> Block:
        """Sound as it is behind this effect."""
        if self.broken or self.wet == self.target == 0.0:
            return block
        if self.wet == self.target == 1.0:
            return self.work(block)
        before = block.copy()
        ramp = np.linspace(self.wet, self.target, block.shape[1], dtype=np.float32)
        self.wet = self.target
        return before + (self.work(block) - before) * ramp

    @property
    def steady(self) -> bool:
        """Whether it is there as a whole, and stays so."""
        return self.wet == self.target == 1.0

    @property
    def own(self) -> list[OwnEffect] | None:
        """What it is made of, if that is all ours and it is there as a whole; else None."""
        found = [unit.effect for unit in self._units if isinstance(unit, Own)]
        whole = self.steady and not self.broken and len(found) == len(self._units)
        return found if whole else None

    def work(self, block: Block) -> Block:
        """Sound behind it, as a whole."""
        if self.broken:
            return block
        try:
            for unit in self._units:
                block = unit(block)
        except Exception as error:  # whatever a library or a plug-in raises: the sound goes on
            self.broken = f"it does not work: {error}"
        return block
