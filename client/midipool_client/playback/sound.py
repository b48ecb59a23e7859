"""Tracks into the stereo sum that a participant sends. Pure."""

from collections.abc import Sequence
from typing import Any

CHANNELS = 2
FADE_S = 0.002


def stereo(sounds: Sequence[Any], begin: Sequence[float], end: Sequence[float], count: int) -> Any:
    """The sum, (count, 2) floats; each track's gain goes evenly from `begin` to `end`."""
    import numpy as np

    mixed = np.zeros((count, CHANNELS), np.float32)
    for sound, first, last in zip(sounds, begin, end, strict=True):
        if sound is None or (first == 0.0 and last == 0.0):
            continue
        part = sound if sound.shape[1] > 1 else np.repeat(sound, CHANNELS, axis=1)
        gain = np.linspace(first, last, len(part), dtype=np.float32)[:, None]
        for channel in range(part.shape[1]):
            mixed[: len(part), channel % CHANNELS] += part[:, channel] * gain[:, 0]
    return mixed


def fade_out(mixed: Any, frames: int) -> None:
    """Let the last frames of a stretch go to nothing: what follows is something else."""
    import numpy as np

    last = mixed[-frames:]
    last *= np.linspace(1.0, 0.0, len(last), dtype=np.float32)[:, None]
