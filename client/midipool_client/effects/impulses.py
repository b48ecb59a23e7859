"""Impulse responses: cabinets and rooms that are calculated, and files of the player's. Pure but
for the files."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midipool.errors import InvalidValue

Impulse = NDArray[np.float32]

CABINET_FRAMES, MOST_FILE_S = 2048, 3.0
SPEED_OF_SOUND_M_S = 343.0
ORDER, WALL = 4, 0.72
# Where a loudspeaker's cone resonates, what it adds there, where it shines and how much, where it
# ends; and how late and strong the further cones are heard.
CABINETS = {
    "1x12": (95.0, 3.0, 2600.0, 5.0, 5200.0, ()),
    "2x12": (85.0, 4.0, 2400.0, 4.0, 4900.0, ((0.00032, 0.45),)),
    "4x10": (70.0, 4.0, 3200.0, 3.0, 5800.0, ((0.00021, 0.5), (0.00043, 0.3))),
    "4x12": (75.0, 6.0, 2200.0, 6.0, 4600.0, ((0.00027, 0.5), (0.00052, 0.35), (0.0007, 0.2))),
}


def cabinet(model: str, rate: int) -> Impulse:
    """A built-in cabinet."""
    low, bump, shine, more, end, cones = CABINETS[model]
    hz = np.fft.rfftfreq(2 * CABINET_FRAMES, 1 / rate)
    octaves = np.log2(np.maximum(hz, 1.0))
    db = bump * np.exp(-(((octaves - np.log2(low * 1.3)) / 0.5) ** 2))
    db += more * np.exp(-(((octaves - np.log2(shine)) / 0.6) ** 2))
    db -= 10 * np.log10(1 + (low / np.maximum(hz, 1.0)) ** 4)
    db -= 10 * np.log10(1 + (hz / end) ** 8)
    impulse = _least_phase(10 ** (np.maximum(db, -100) / 20))[:CABINET_FRAMES]
    heard = impulse.copy()
    for late_s, part in cones:
        frames = round(late_s * rate)
        heard[frames:] += part * impulse[:-frames]
    return _as_loud_as_it_was(heard)


def room(side_m: float, floor_m: float, top_m: float, rate: int) -> Impulse:
    """What the walls of a room send back, without the sound itself."""
    frames = round(0.35 * rate)
    impulse = np.zeros(frames)
    size = np.array([side_m, floor_m, top_m])
    source, ear = size * (0.31, 0.37, 0.45), size * (0.62, 0.71, 0.52)
    direct_m = float(np.linalg.norm(source - ear))
    for reflections, distance_m in _images(size, source, ear):
        late = (distance_m - direct_m) / SPEED_OF_SOUND_M_S * rate
        if reflections and 0 <= late < frames - 1:
            strength = WALL**reflections * max(direct_m, 0.5) / distance_m
            impulse[int(late)] += strength * (-1) ** reflections
    # Walls take the highs.
    dark = _least_phase(1 / np.sqrt(1 + (np.fft.rfftfreq(512, 1 / rate) / 4500) ** 2))[:128]
    return np.convolve(impulse, dark)[:frames].astype(np.float32)


def from_file(path: str, rate: int) -> Impulse:
    """A file's first channel at our rate; raises InvalidValue."""
    import soundfile

    if not path or not Path(path).is_file():
        raise InvalidValue("file", f"there is no file {path!r} with an impulse response")
    try:
        with soundfile.SoundFile(path) as file:
            sound = file.read(round(MOST_FILE_S * file.samplerate), "float32", always_2d=True)
            impulse, its_rate = sound[:, 0], file.samplerate
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        raise InvalidValue("file", f"{path} cannot be read: {error}") from None
    if not impulse.size or not np.isfinite(impulse).all() or not impulse.any():
        raise InvalidValue("file", f"{path} has no sound in it")
    if its_rate != rate:
        places = np.arange(int(impulse.size * rate / its_rate)) * its_rate / rate
        impulse = np.interp(places, np.arange(impulse.size), impulse)
    return _as_loud_as_it_was(impulse)


def _images(
    size: NDArray[np.float64], source: NDArray[np.float64], ear: NDArray[np.float64]
) -> Iterator[tuple[int, float]]:
    """(how many walls, how far) of each mirrored source."""
    numbers = range(-ORDER, ORDER + 1)
    for n in product(numbers, repeat=3):
        reflections = sum(abs(k) for k in n)
        if reflections <= ORDER:
            mirrored = [
                k * s + (p if k % 2 == 0 else s - p)
                for k, s, p in zip(n, size, source, strict=True)
            ]
            yield reflections, float(np.linalg.norm(np.array(mirrored) - ear))


def _least_phase(magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """The impulse with this spectrum that comes soonest."""
    cepstrum = np.fft.irfft(np.log(np.maximum(magnitude, 1e-6)))
    half = cepstrum.size // 2
    cepstrum[1:half] *= 2
    cepstrum[half + 1 :] = 0
    return np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))


def _as_loud_as_it_was(impulse: NDArray[np.floating]) -> Impulse:
    """No frequency becomes louder."""
    peak = np.abs(np.fft.rfft(impulse, 2 * impulse.size)).max()
    scaled: Impulse = (impulse / max(float(peak), 1e-9)).astype(np.float32)
    return scaled
