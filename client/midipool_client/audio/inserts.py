"""The audio engine's part of effects: where the effects engine is put in."""

from midipool.errors import MidiPoolError
from midipool_client.audio.engine_messages import Inserts, InsertStatus
from midipool_native import effects
from midipool_native.audio import AudioCore
from midipool_native.effects import EffectsMemory

_MODES = {"off": effects.OFF, "feed": effects.FEED, "on": effects.ON}


class EngineInserts:
    """Places for effects; none without memory."""

    def __init__(self, core: AudioCore, memory_fd: int | None) -> None:
        self._core = core
        self.own_sounds = False
        """Whether own channels go through effects."""
        self._memory: EffectsMemory | None = None
        if memory_fd is not None:
            # The core outlives this: the memory stays mapped as long as the program lives.
            self._memory = EffectsMemory(memory_fd)
            effects.use_effects(core, self._memory)

    def set(self, inserts: Inserts) -> None:
        """As it is to be; raises MidiPoolError."""
        if self._memory is None:
            raise MidiPoolError("this audio engine was started without memory for effects")
        effects.set_insert(self._core, effects.INPUT, _MODES[inserts.own])
        effects.set_insert(self._core, effects.MIX, _MODES[inserts.master])
        self.own_sounds = inserts.own == "on"

    def status(self) -> list[InsertStatus]:
        """Own channels, master; empty without memory."""
        if self._memory is None:
            return []
        found = [effects.insert_stats(self._core, n) for n in (effects.INPUT, effects.MIX)]
        return [InsertStatus(s.blocks, s.late, s.older_frames, s.inserted) for s in found]
