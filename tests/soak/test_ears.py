"""Pitches are told apart, however many sound."""

import numpy as np

from tests.bench.sound_probe import RATE
from tests.soak.ears import PEAK, WINDOW_FRAMES, levels, pitch

PITCHES = {f"s{n:02}": pitch(n) for n in range(16)}


def test_each_pitch_is_heard_alone() -> None:
    time_s = np.arange(WINDOW_FRAMES) / RATE
    sounding = {"s01": 1.0, "s02": 0.25, "s09": 0.03}
    mixed = sum(
        PEAK * share * np.sin(2 * np.pi * PITCHES[n] * time_s) for n, share in sounding.items()
    )
    heard = levels(np.asarray(mixed, np.float32), PITCHES)
    for name, level_db in heard.items():
        if name in sounding:
            assert abs(level_db - 20 * np.log10(sounding[name])) < 0.5
        else:
            assert level_db < -70


def test_a_sound_that_begins_or_has_gaps_is_that_one_alone() -> None:
    frames = np.arange(WINDOW_FRAMES)
    tone = PEAK * np.sin(2 * np.pi * PITCHES["s01"] * frames / RATE)
    begins, gaps = tone * (frames > 3_000), tone * (frames % 2_000 > 240)
    for sound in (begins, gaps):
        heard = levels(np.asarray(sound, np.float32), PITCHES)
        assert heard.pop("s01") > -12
        assert max(heard.values()) < -70, heard


def test_silence_is_silent() -> None:
    assert max(levels(np.zeros(WINDOW_FRAMES, np.float32), PITCHES).values()) <= -120
