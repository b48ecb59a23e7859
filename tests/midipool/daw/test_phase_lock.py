"""A room is brought into phase by its tempo alone, and is then left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from midipool import transport
from midipool.daw.phase_lock import DawPhase, PhaseLock, phase_error
from midipool.messages import SetTempo
from midipool.meter import BEAT, Loop
from midipool.timeline import Timeline

SECOND = 1_000_000
ROOM = Timeline(playing=True)


def ahead(error_us: float, bpm: float = 120.0) -> DawPhase:
    """A DAW that is ahead of ROOM at time 0."""
    return DawPhase(-error_us, 0.0, bpm)


@given(st.floats(-400_000, 400_000), st.sampled_from([40.0, 120.0, 300.0]))
def test_an_error_is_worked_off_and_the_true_tempo_comes_back(error_us: float, bpm: float) -> None:
    room = replace(ROOM, mbpm=round(bpm * 1000))
    daw, lock, changes = ahead(error_us, bpm), PhaseLock(), 0
    for at_us in range(0, 12 * SECOND, 20_000):
        mbpm = lock.steer(daw, room, at_us)
        if mbpm is not None:
            changes += 1
            room = transport.apply(room, SetTempo(id=1, bpm=mbpm / 1000), at_us)
            assert abs(mbpm / 1000 - bpm) <= 0.1 * bpm + 0.001
    left_us = phase_error(daw, room, 12 * SECOND) * 60 / bpm
    assert abs(left_us) <= 501
    assert abs(room.mbpm - bpm * 1000) <= 50
    assert changes <= 4


def test_within_the_dead_bands_nothing_is_done() -> None:
    assert PhaseLock().steer(ahead(490), ROOM, 0) is None
    assert PhaseLock().steer(ahead(-490, 120.04), ROOM, 0) is None


@pytest.mark.parametrize(("error_us", "mbpm"), [(2_000, 120_120), (-2_000, 119_880)])
def test_two_seconds_are_taken_for_it(error_us: float, mbpm: int) -> None:
    assert PhaseLock().steer(ahead(error_us), ROOM, 0) == mbpm


def test_or_a_beat_if_that_is_asked_for() -> None:
    assert PhaseLock().steer(ahead(10_000), ROOM, 0, in_a_beat=True) == 122_400


@pytest.mark.parametrize("error_us", range(80_000, 100_000, 2_000))
def test_an_error_is_worked_off_to_the_tick_that_is_nearest(error_us: float) -> None:
    daw, lock = ahead(error_us), PhaseLock()
    mbpm = lock.steer(daw, ROOM, 0, in_a_beat=True)
    assert mbpm == 132_000
    room, at_us = transport.apply(ROOM, SetTempo(id=1, bpm=mbpm / 1000), 0), 0
    while lock.works and lock.steer(daw, room, at_us, in_a_beat=True) is None:
        at_us += 20_833
    # A tick brings a tenth of it, 2.08 ms.
    assert abs(phase_error(daw, room, at_us)) * 60 / 120 <= 1_050


def test_another_tempo_is_taken_at_once() -> None:
    assert PhaseLock().steer(ahead(0, 121.0), ROOM, 0) == 121_000


def test_in_a_loop_the_shorter_way_round_counts() -> None:
    # The DAW has gone round already, the room has 10 ms to go.
    room = replace(ROOM, loop=Loop(1, 2), origin_beats=4 * BEAT - 20_000)
    daw = DawPhase(0, 0, 120.0)
    assert phase_error(daw, room, 0) == pytest.approx(20_000)


def test_what_is_released_in_the_middle_leaves_the_true_tempo() -> None:
    lock = PhaseLock()
    mbpm = lock.steer(ahead(4_000), ROOM, 0)
    assert mbpm == 120_240
    assert lock.release(replace(ROOM, mbpm=mbpm)) == 120_000
    assert lock.release(replace(ROOM, mbpm=mbpm)) is None


def test_a_tempo_that_somebody_else_set_is_not_taken_back() -> None:
    lock = PhaseLock()
    lock.steer(ahead(4_000), ROOM, 0)
    assert lock.release(replace(ROOM, mbpm=128_000)) is None


def test_corrections_that_bring_nothing_are_counted() -> None:
    lock = PhaseLock()
    for at_us in range(0, 20 * SECOND, 20_000):
        # A DAW that follows is behind wherever the room is.
        lock.steer(DawPhase(at_us, ROOM.beats_at(at_us) - 24_000, 120.0), ROOM, at_us)
    assert lock.attempts > 3
