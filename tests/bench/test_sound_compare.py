"""What the benchmarks say of a sound is what became of it."""

import numpy as np
import pytest

from tests.bench import sound_compare
from tests.bench.sound_compare import COARSE, FINE, damaged, lags, latencies_ms, tone_pieces
from tests.bench.sound_probe import RATE, TONE_HZ, Record, sound

SECONDS = 2
PERIOD = 128
QUIET = 0.05
PACKET = 128


def heard(late_frames: int = 1_000) -> "np.typing.NDArray[np.float32]":
    played = sound("noise1")
    return np.roll(played, late_frames)[: SECONDS * RATE]


@pytest.mark.parametrize("late_frames", [0, 100_001])
def test_sound_that_is_only_late_and_quiet_is_whole(late_frames: int) -> None:
    found = lags(QUIET * heard(late_frames), sound("noise1"))
    assert set(found.tolist()) == {late_frames}
    assert not damaged(QUIET * heard(late_frames), sound("noise1"), found).any()


@pytest.mark.parametrize("filled", ["silence", "another sound"])
@pytest.mark.parametrize("holes", [1, 90])
def test_what_is_missing_is_counted_as_much_as_it_is(filled: str, holes: int) -> None:
    recorded = heard()
    chance = np.random.default_rng(holes)
    starts = np.sort(chance.choice(len(recorded) // PACKET - 2, holes, replace=False)) * PACKET + 17
    for start in starts:
        other = sound("noise2")[start : start + PACKET] if filled == "another sound" else 0
        recorded[start : start + PACKET] = other
    found = lags(recorded, sound("noise1"))
    missing = holes * PACKET / FINE
    assert damaged(recorded, sound("noise1"), found).sum() == pytest.approx(
        missing, rel=0.3, abs=1.1
    )


def test_sound_that_is_bent_by_drift_is_whole() -> None:
    """Played 0.1 % faster than it was sent, as a buffer that comes down does."""
    played = sound("noise1")
    place = 5_000 + 1.001 * np.arange(SECONDS * RATE)
    bent = np.interp(place, np.arange(len(played)), played).astype(np.float32)
    assert damaged(bent, played, lags(bent, played)).mean() < 1e-3


def test_what_is_not_the_sound_is_damaged_all() -> None:
    other = sound("noise2")[: SECONDS * RATE]
    found = lags(other, sound("noise1"))
    assert (found == -1).all()
    assert damaged(other, sound("noise1"), found).all()


def record(offset_ns: int, first: int, sounds: "np.typing.NDArray[np.float32]") -> Record:
    """A recording whose JACK server counts from `first`, on a clock that began at `offset_ns`."""
    own = np.arange(0, len(sounds), PERIOD)
    ns = offset_ns + own * 1_000_000_000 // RATE + (own // PERIOD * 7_919) % 30_000
    return Record(sounds[:, None], np.stack((own, own + first, ns), axis=1), np.zeros(0, np.int64))


def test_latency_is_by_the_clock_whatever_jack_counts() -> None:
    """The listener began 2 s later; what it hears was played 12.5 ms before."""
    played = sound("noise1")
    sender = record(10**9, 5, np.zeros(8 * RATE, np.float32))
    listener = record(3 * 10**9, 777, np.roll(played, -2 * RATE + 600)[: SECONDS * RATE])
    found = lags(listener.heard[:, 0], played)
    ways = latencies_ms(listener, played, sender, found)
    assert len(ways) == SECONDS * RATE // COARSE
    np.testing.assert_allclose(ways, 12.5, atol=0.05)


@pytest.mark.parametrize("off", [1.0, 1.0002, 0.998])
def test_a_tone_is_as_clean_as_it_is(off: float) -> None:
    time = np.arange(3 * RATE)
    tone = 0.5 * np.sin(2 * np.pi * TONE_HZ * off * time / RATE + 1)
    noise = np.random.default_rng(1).normal(0, 0.5 / np.sqrt(2) * 10 ** (-85 / 20), len(tone))
    sinad, dropped = tone_pieces((tone + noise).astype(np.float32))
    np.testing.assert_allclose(sinad, 85, atol=0.2)
    assert dropped.tolist() == [0, 0, 0]


def test_a_pitch_that_is_bent_is_noise_but_no_hole() -> None:
    faster = np.zeros(3 * RATE)
    faster[RATE : 2 * RATE] = np.linspace(0, 2e-3, RATE)
    angle = 2 * np.pi * TONE_HZ / RATE * np.cumsum(1 + faster)
    sinad, dropped = tone_pieces((0.5 * np.sin(angle)).astype(np.float32))
    assert (sinad > 80).tolist() == [True, False, True]
    assert not dropped.any()


def test_frames_that_were_left_out_of_a_tone_are_seen() -> None:
    tone = np.tile(sound("tone"), 3)
    tone = np.delete(tone, slice(RATE + 100, RATE + 120))[: 2 * RATE]
    assert (tone_pieces(tone)[1] > 0).tolist() == [False, True]


def test_a_hole_in_a_tone_is_seen_where_it_is() -> None:
    tone = np.tile(sound("tone"), 3)
    tone[RATE + 100 : RATE + 100 + PACKET] = 0
    sinad, dropped = tone_pieces(tone)
    assert sinad[1] < 40 < 90 < min(sinad[0], sinad[2])
    assert PACKET <= dropped[1] <= 2 * sound_compare.SHORT_PIECE
    assert dropped[0] == dropped[2] == 0
    assert sound_compare.TONE_PIECE == RATE
