"""The tuner: the note of each string, in noise, and none where there is none."""

import numpy as np
import pytest

pytest.importorskip("numpy")

from midipool_client.effects.tuner import FRAMES, named, pitch_of

RATE = 48_000


def string(hz: float, rate: int = RATE, peak: float = 0.2) -> np.ndarray:
    """A plucked one: the first overtone is louder than the tone itself."""
    at = np.arange(FRAMES) / rate
    rng = np.random.default_rng(1)
    parts = ((1, 0.4), (2, 0.8), (3, 0.4), (4, 0.3), (5, 0.1))
    sound = sum(a * np.sin(2 * np.pi * hz * n * at + n) for n, a in parts)
    return np.asarray(peak * (sound + 0.01 * rng.standard_normal(FRAMES)), np.float32)


@pytest.mark.parametrize(
    ("hz", "note"),
    [(30.87, "B0"), (41.2, "E1"), (82.41, "E2"), (110.0, "A2"), (329.63, "E4"), (987.77, "B5")],
)
@pytest.mark.parametrize("cents", [-30.0, 0.0, 12.0])
def test_each_string_is_named_to_within_a_cent(hz: float, note: str, cents: float) -> None:
    for rate in (44_100, 48_000, 96_000):
        heard = pitch_of(string(hz * 2 ** (cents / 1200), rate), rate)
        assert heard.note == note, rate
        assert heard.cents == pytest.approx(cents, abs=1.0), rate


def test_noise_silence_and_whispers_have_no_note() -> None:
    noise = np.random.default_rng(2).standard_normal(FRAMES).astype(np.float32)
    for sound in (0.1 * noise, np.zeros(FRAMES, np.float32), string(110, peak=1e-5)):
        assert pitch_of(sound, RATE).hz == 0.0


def test_notes_have_their_names() -> None:
    assert (named(440.0).note, named(440.0).cents) == ("A4", 0.0)
    assert (named(261.63).note, named(27.5).note) == ("C4", "A0")
