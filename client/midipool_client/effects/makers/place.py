"""What an effect works on."""

from dataclasses import dataclass

from midipool_native.effects import EffectsMemory


@dataclass(frozen=True, slots=True)
class Place:
    """What an effect works on."""

    channels: int
    rate: int
    memory: EffectsMemory
