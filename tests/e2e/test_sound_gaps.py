"""The measure of gaps, on sounds whose gaps are known."""

import numpy as np
import pytest

from tests.e2e.sound_daw import NOISE_FRAMES, Floats, noise
from tests.e2e.sound_gaps import gaps


def shifted(seed: int, lag: int, frames: int) -> Floats:
    made: Floats = noise(seed)[(np.arange(frames) + lag) % NOISE_FRAMES]
    return made


def test_sound_without_a_gap_has_none() -> None:
    recorded = np.concatenate((np.zeros(5_000, np.float32), shifted(1, 777, 40_000)))
    assert gaps(recorded, noise(1)) == []


@pytest.mark.parametrize("ppm", [-2_000, 2_000])
def test_sound_that_is_bent_has_no_gap(ppm: int) -> None:
    """The player catches up, or waits: by so much at most."""
    places = 500 + np.arange(60_000) * (1 + ppm * 1e-6)
    loop = np.append(noise(1), noise(1)[0])
    recorded = np.interp(places % NOISE_FRAMES, np.arange(NOISE_FRAMES + 1), loop)
    assert gaps(recorded.astype(np.float32), noise(1)) == []


@pytest.mark.parametrize("length", [480, 1_440, 4_800])
def test_a_gap_is_as_long_as_it_is_though_the_sound_goes_on_later(length: int) -> None:
    before, after = shifted(1, 777, 30_000), shifted(1, 777 + 30_000 - 400, 30_000)
    recorded = np.concatenate((before, np.zeros(length, np.float32), after))
    [(begin, found)] = gaps(recorded, noise(1))
    assert abs(begin - 30_000) < 200
    assert abs(found - length) < 250


def test_what_is_not_the_noise_is_a_gap_and_not_silence_alone() -> None:
    recorded = np.concatenate(
        (shifted(1, 0, 30_000), shifted(2, 9, 2_400), shifted(1, 32_400, 30_000))
    )
    [(_, found)] = gaps(recorded, noise(1))
    assert abs(found - 2_400) < 250
    assert gaps(shifted(2, 0, 20_000), noise(1)) == [(0, 20_000)]
