"""What the benchmarks take for the way of sound is the way that it took."""

import numpy as np
import pytest

from tests.bench.sound_round_trip import lags
from tests.e2e.sound_daw import NOISE_FRAMES, noise

SECONDS = 2
QUIET = 0.05


def played() -> "np.typing.NDArray[np.float32]":
    return np.tile(noise(1), SECONDS)


@pytest.mark.parametrize("late_frames", [0, 1, 640, 4_801, NOISE_FRAMES - 1])
def test_sound_that_comes_back_later_and_quieter_is_found(late_frames: int) -> None:
    heard = QUIET * np.concatenate((np.zeros(late_frames, np.float32), played()))
    found = lags(heard, noise(1))
    assert {lag for lag in found if lag is not None} == {late_frames}
    assert found.count(None) <= late_frames // 2048 + 1, "only what came before the sound"


def test_what_is_not_the_sound_has_no_lag() -> None:
    assert set(lags(np.tile(noise(2), SECONDS), noise(1))) == {None}
    assert set(lags(np.zeros(NOISE_FRAMES, np.float32), noise(1))) == {None}


def test_a_hole_is_seen_where_it_is() -> None:
    heard = played()
    heard[20_480:24_576] = 0
    assert [index for index, lag in enumerate(lags(heard, noise(1))) if lag is None] == [10, 11]
