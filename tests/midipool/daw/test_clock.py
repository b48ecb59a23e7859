"""A DAW's clock, as far as it is known at each moment of a song."""

import pytest

from midipool.daw.clock import DawClock

from .simulated_daw import TICKS, gaussian, heard, no_jitter, steady, uniform


def hear(clock: DawClock, times: list[int], begins: bool = False) -> list[int]:
    """The fitted times; a song begins with the first one."""
    return [clock.tick(time_us, begins and n == 0) for n, time_us in enumerate(times)]


def test_half_a_beat_says_a_tempo_and_less_none() -> None:
    clock, times = DawClock(), heard(steady(133.7, 1), uniform(500))
    hear(clock, times[: TICKS // 2 - 1])
    assert clock.early(times[TICKS // 2 - 1]) is None
    hear(clock, times[TICKS // 2 - 1 : TICKS // 2])
    reading = clock.early(times[TICKS // 2])
    assert reading is not None
    assert reading.bpm == pytest.approx(133.7, rel=0.01)
    assert clock.settled(times[TICKS // 2]) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_train_that_goes_on_as_the_one_before_has_its_tempo(seed: int) -> None:
    clock = DawClock()
    first = heard(steady(120, 16), gaussian(1_000), seed)
    hear(clock, first)
    truth = steady(120, 1, begin_us=first[-1] + 2_000_000)
    hear(clock, heard(truth, gaussian(1_000), seed + 100))
    reading = clock.early(round(truth[-1]))
    assert reading is not None
    assert reading.bpm == clock.last_bpm == pytest.approx(120, abs=0.1)
    assert reading.tick_time_us == pytest.approx(truth[-1], abs=800)


def test_a_train_at_another_tempo_is_believed() -> None:
    clock = DawClock()
    first = heard(steady(120, 8))
    hear(clock, first)
    times = heard(steady(90, 1, begin_us=first[-1] + 2_000_000))
    hear(clock, times)
    reading = clock.early(times[-1])
    assert reading is not None
    assert reading.bpm == pytest.approx(90, abs=0.05)


def test_a_clock_that_begins_anew_with_the_song_says_its_own_time() -> None:
    clock = DawClock()
    first = heard(steady(120, 8))
    hear(clock, first)
    began_us = first[-1] + 20_833 + 2_700
    assert hear(clock, [began_us], begins=True) == [began_us]
    assert clock.last_bpm == pytest.approx(120, abs=0.01)


def test_a_clock_that_runs_on_says_the_time_without_jitter() -> None:
    clock, truth = DawClock(), steady(120, 9)
    times = heard(truth, uniform(2_000))
    hear(clock, times[:-TICKS])
    (fitted_us,) = hear(clock, times[-TICKS : -TICKS + 1], begins=True)
    assert fitted_us == pytest.approx(truth[-TICKS], abs=500)


def test_nothing_is_known_of_a_clock_that_stopped_but_its_tempo() -> None:
    clock, times = DawClock(), heard(steady(120, 4), no_jitter)
    hear(clock, times)
    later_us = times[-1] + 1_000_000
    assert clock.early(later_us) is None
    assert clock.reading(later_us) is None
    assert clock.last_bpm == pytest.approx(120, abs=0.01)
