"""What a module reads and writes has its place, and what it misses is counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from midipool_client.module.frames import HeardMix, PlayedPlace, fitted, frames_of

RATE, CYCLE, BLOCK = 48_000, 240, 480


def ramp(at: int, count: int, channels: int = 2) -> bytes:
    """Each frame says where it belongs."""
    numbers = np.arange(at, at + count, dtype=np.float32)
    return np.repeat(numbers[:, None], channels, axis=1).tobytes()


def heard(channels: int = 2, block: int = BLOCK) -> HeardMix:
    mix = HeardMix(channels, 2, block, RATE)
    mix.next()
    return mix


@given(st.lists(st.integers(1, 700), min_size=1, max_size=60), st.integers(64, 1000))
def test_blocks_have_one_size_and_hold_each_frame_in_its_place(
    counts: list[int], block: int
) -> None:
    mix, at, read = heard(block=block), 10_000, 10_000
    for count in counts:
        mix.came(at, count, ramp(at, count))
        at += count
        while (cut := mix.next()) is not None:
            assert cut.at == read
            assert cut.frames.shape == (block, 2)
            assert (cut.frames[:, 1] == np.arange(read, read + block)).all()
            read += block
    assert 0 <= at - read < block
    assert mix.overruns == 0


def test_who_stalls_finds_the_newest_and_what_was_missed_is_counted() -> None:
    mix = heard()
    for n in range(200):  # a second
        mix.came(n * CYCLE, CYCLE, ramp(n * CYCLE, CYCLE))
    first = mix.next()
    assert first is not None
    assert first.at == 200 * CYCLE - RATE // 5
    assert mix.overruns == first.at
    assert (first.frames[:, 0] == np.arange(first.at, first.at + BLOCK)).all()


def test_what_the_engine_could_not_hand_over_is_counted_and_moves_nothing() -> None:
    mix = heard()
    mix.came(0, CYCLE, ramp(0, CYCLE))
    mix.came(5 * CYCLE, CYCLE, ramp(5 * CYCLE, CYCLE))
    mix.came(6 * CYCLE, CYCLE, ramp(6 * CYCLE, CYCLE))
    cut = mix.next()
    assert cut is not None
    assert cut.at == cut.frames[0, 0] == 5 * CYCLE
    assert mix.overruns == 5 * CYCLE


def test_another_clock_is_no_overrun() -> None:
    mix = heard()
    for at in (0, CYCLE, 10**9, 10**9 + CYCLE, 50, 50 + CYCLE):
        mix.came(at, CYCLE, ramp(at, CYCLE))
    assert [cut.at for cut in iter(mix.next, None)] == [0, 10**9, 50]
    assert mix.overruns == 0


def test_who_only_plays_misses_nothing() -> None:
    mix = HeardMix(2, 2, BLOCK, RATE)
    for n in range(400):
        mix.came(n * CYCLE, CYCLE, ramp(n * CYCLE, CYCLE))
    assert mix.overruns == 0
    first = mix.next()
    assert first is not None
    assert first.at == 398 * CYCLE


def test_without_audio_in_time_goes_on_all_the_same() -> None:
    mix = heard(channels=0)
    mix.came(0, BLOCK, b"")
    cut = mix.next()
    assert cut is not None
    assert cut.frames.shape == (BLOCK, 0)


# ---- places of what is played ----


def test_the_answer_to_a_block_has_its_time_whatever_was_late() -> None:
    place = PlayedPlace(1440)
    for at in (0, 480, 960):
        place.read(at)
        assert place.place(480, now=at + 500) == at + 1440
    place.read(9600)  # it stalled: what it writes now belongs to now
    assert place.place(480, now=10_100) == 9600 + 1440
    assert place.underruns == 0


def test_who_only_writes_goes_on_behind_the_last_and_begins_anew_when_it_ran_dry() -> None:
    place = PlayedPlace(1440)
    assert place.place(4800, now=100) == 1540
    assert place.place(4800, now=200) == 6340
    assert place.place(100, now=20_000) == 21_440
    assert place.underruns == 21_440 - 11_140
    assert place.place(100, now=20_000, at=50_000) == 50_000
    assert place.place(100, now=20_000) == 50_100


def test_sound_is_taken_in_any_channels_that_are_told() -> None:
    two = np.array([[0.0, 1.0], [0.5, 0.5]], np.float32)
    assert fitted(two, 1).tolist() == [[0.5], [0.5]]
    assert fitted(two, 4).tolist() == [[0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]]
    assert fitted(fitted(two, 4), 2).tolist() == two.tolist()
    assert frames_of([0.25, -0.25], 2, 2).tolist() == [[0.25, 0.25], [-0.25, -0.25]]
    assert frames_of(two.astype(np.float64), 2, 4).dtype == np.float32


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (np.zeros((4, 3)), "not of the shape (4, 3)"),
        (np.zeros((2, 2, 2)), "not of the shape"),
        ([0.0, float("nan")], "there is a NaN"),
        ("noise", "must be (n,) or (n, 2) numbers"),
        (None, "must be"),
    ],
)
def test_what_is_no_sound_is_refused_by_name(given: object, told: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        frames_of(given, 2, 2)
    assert told in str(refused.value)
    assert refused.value.field == "frames"
