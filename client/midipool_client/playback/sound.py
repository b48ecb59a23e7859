"""Tracks into the stereo sum that a participant sends. Pure."""

from collections.abc import Sequence
from typing import Any

CHANNELS = 2
FADE_S = 0.002
# As in the mixer (audio_mixer.c): left alone up to here, bent above, so that it never passes 1.
KNEE = 0.8


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
    _limit(mixed)
    return mixed


def _limit(mixed: Any) -> None:
    import numpy as np

    size = np.abs(mixed)
    loud = size > KNEE
    if loud.any():
        over = (size[loud] - KNEE) / (1.0 - KNEE)
        bent = KNEE + (1.0 - KNEE) * (over / (1.0 + over))
        mixed[loud] = np.copysign(bent, mixed[loud])


def fade_out(mixed: Any, frames: int) -> None:
    """Let the last frames of a stretch go to nothing: what follows is something else."""
    import numpy as np

    last = mixed[-frames:]
    last *= np.linspace(1.0, 0.0, len(last), dtype=np.float32)[:, None]
