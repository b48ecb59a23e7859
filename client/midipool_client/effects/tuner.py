"""A tuner: the pitch of one voice, by YIN (de Cheveigné and Kawahara, 2002). Pure."""

import math

import numpy as np
from numpy.typing import NDArray

from midipool_client.effects.messages import Pitch

LEAST_HZ, MOST_HZ = 27.0, 1400.0
FRAMES = 8192
"""That are looked at, at 48 kHz."""
QUIET = 2e-4
THRESHOLD = 0.15
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def pitch_of(sound: NDArray[np.float32], rate: int) -> Pitch:
    """What note sounds, and how far off it is; nothing where none does."""
    slower = max(1, rate // 12_000)
    whole = sound[: sound.size // slower * slower].astype(np.float64)
    few = whole.reshape(-1, slower).mean(axis=1)
    few -= few.mean()
    few_rate = rate / slower
    if few.size < 1024 or np.sqrt(np.mean(few**2)) < QUIET:
        return Pitch()
    apart = _difference(few)
    lag = _first_dip(apart, few_rate)
    if lag is None:
        return Pitch()
    hz = few_rate / _refined(apart, lag)
    return named(hz) if LEAST_HZ <= hz <= MOST_HZ else Pitch()


def named(hz: float, a4_hz: float = 440.0) -> Pitch:
    """The nearest note."""
    semitones = 69 + 12 * math.log2(hz / a4_hz)
    nearest = round(semitones)
    note = f"{_NAMES[nearest % 12]}{nearest // 12 - 1}"
    return Pitch(round(float(hz), 2), note, round(float(100 * (semitones - nearest)), 1))


def _difference(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """How unlike the sound is to itself some frames later, relative to the mean up to there."""
    window = sound.size // 2
    first = sound[:window]
    size = 1 << (sound.size + window).bit_length()
    alike = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(first, size)), size)
    power = np.concatenate(([0.0], np.cumsum(sound**2)))
    shifted = power[window : window + window] - power[:window]
    unlike = np.maximum(shifted[0] + shifted - 2 * alike[:window], 0.0)
    mean = np.cumsum(unlike) / np.maximum(np.arange(window), 1)
    mean[0] = 1.0
    unlike[0] = 1.0
    relative: NDArray[np.float64] = unlike / np.maximum(mean, 1e-12)
    return relative


def _first_dip(apart: NDArray[np.float64], rate: float) -> int | None:
    least, most = max(2, int(rate / MOST_HZ)), min(int(rate / LEAST_HZ), apart.size - 2)
    below = np.flatnonzero(apart[least:most] < THRESHOLD)
    if not below.size:
        return None
    lag = least + int(below[0])
    while lag + 1 < most and apart[lag + 1] < apart[lag]:
        lag += 1
    return lag


def _refined(apart: NDArray[np.float64], lag: int) -> float:
    """The period between frames, by as many periods as are there."""
    period = _bottom(apart, lag)
    times = 1
    while (times * 2) * period < apart.size * 0.6:
        times *= 2
        place = round(times * period)
        around = apart[place - 2 : place + 3]
        if around.size < 5 or around.min() > 2 * THRESHOLD:
            break
        period = _bottom(apart, place - 2 + int(np.argmin(around))) / times
    return period


def _bottom(apart: NDArray[np.float64], lag: int) -> float:
    left, middle, right = apart[lag - 1 : lag + 2]
    bend = left - 2 * middle + right
    return lag + (0.5 * (left - right) / bend if bend > 1e-12 else 0.0)
