"""Tempo from steady trains, judged by what a room would be told: the settled reading."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.daw.tempo import TempoEstimator

from .simulated_daw import (
    TICKS,
    Jitter,
    heard,
    no_jitter,
    steady,
    uniform,
)
from .tempo_readings import JITTERS, TEMPOS, bpms, readings, worst

SECOND = 1_000_000


class TestSteadyTrain:
    @pytest.mark.parametrize("bpm", [20, *TEMPOS, 300, 999])
    def test_without_jitter_it_is_exact_to_the_rounding(self, bpm: float) -> None:
        assert worst(heard(steady(bpm, 8)), 47, bpm) < 2e-4 * bpm

    @pytest.mark.parametrize("bpm", TEMPOS)
    @pytest.mark.parametrize("jitter", JITTERS)
    def test_from_16_beats_on_it_is_steady_to_a_twentieth_of_a_bpm(
        self, bpm: float, jitter: str
    ) -> None:
        times = heard(steady(bpm, 60), JITTERS[jitter])
        assert worst(times, 16 * TICKS, bpm) < 0.05

    @pytest.mark.parametrize("jitter", [no_jitter, *JITTERS.values()])
    def test_it_is_settled_after_two_beats_and_not_before(self, jitter: Jitter) -> None:
        said = readings(heard(steady(120, 3), jitter))
        assert [reading is not None and reading.settled for reading in said].index(True) == 47

    @pytest.mark.parametrize("bpm", TEMPOS)
    @pytest.mark.parametrize("jitter", JITTERS)
    def test_the_error_stated_holds_99_times_of_100(self, bpm: float, jitter: str) -> None:
        said = [
            reading
            for seed in range(20)
            for reading in readings(heard(steady(bpm, 6), JITTERS[jitter], seed))[12:]
            if reading is not None
        ]
        off = sum(abs(reading.bpm - bpm) > reading.error_bpm for reading in said)
        assert off <= len(said) / 100

    def test_the_error_stated_shrinks(self) -> None:
        said = readings(heard(steady(120, 40), uniform(1_000)))
        errors = [reading.error_bpm for reading in said if reading is not None]
        assert errors[20] > 5 * errors[100] > 25 * errors[-1]
        assert errors[-1] < 0.02

    @pytest.mark.parametrize("bpm", TEMPOS)
    def test_the_newest_tick_has_its_number_and_its_time_without_jitter(self, bpm: float) -> None:
        truth = steady(bpm, 40)
        said = readings(heard(truth, uniform(1_000)))
        for number, reading in enumerate(said[20 * TICKS :], 20 * TICKS):
            assert reading is not None
            assert reading.ticks == number + 1
            assert reading.tick_time_us == pytest.approx(truth[number], abs=200)

    @given(st.floats(20, 999), st.integers(-(2**60), 2**60))
    @settings(max_examples=30, deadline=None)
    def test_any_tempo_in_range_is_read_wherever_the_clock_began(
        self, bpm: float, begin_us: int
    ) -> None:
        times = [begin_us + time_us for time_us in heard(steady(bpm, 3))]
        assert bpms(times, 60)[-1] == pytest.approx(bpm, rel=2e-4)


class TestTrains:
    def test_before_six_ticks_nothing_is_said(self) -> None:
        assert readings(heard(steady(120, 1)))[:5] == [None] * 5

    def test_a_pause_begins_a_new_train(self) -> None:
        first = heard(steady(120, 8))
        second = heard(steady(90, 8, begin_us=first[-1] + 600_000))
        said = readings(first + second)
        assert said[len(first)] is None
        last = said[-1]
        assert last is not None
        assert (last.ticks, round(last.bpm, 2)) == (len(second), 90)

    def test_it_has_stopped_when_no_tick_came_for_half_a_second(self) -> None:
        estimator = TempoEstimator()
        assert estimator.stopped(0)
        times = heard(steady(120, 4))
        for time_us in times:
            estimator.tick(time_us)
        assert not estimator.stopped(times[-1] + 400_000)
        assert estimator.stopped(times[-1] + 600_000)

    def test_reset_forgets(self) -> None:
        estimator = TempoEstimator()
        for time_us in heard(steady(120, 4)):
            estimator.tick(time_us)
        estimator.reset()
        assert estimator.reading is None
        assert estimator.fault is None
        assert estimator.stopped(0)


class TestLimits:
    @pytest.mark.parametrize(
        ("interval_us", "fault"),
        [
            (0, "faster than 999 BPM"),
            (100, "faster than 999 BPM"),
            (1_250, "faster than 999 BPM"),
            (2_490, "faster than 999 BPM"),
            (126_000, "slower than 20 BPM"),
            (400_000, "slower than 20 BPM"),
            (2_500_000, "slower than 20 BPM"),
        ],
    )
    def test_out_of_range_there_is_no_reading_but_a_reason(
        self, interval_us: int, fault: str
    ) -> None:
        estimator = TempoEstimator()
        for number in range(300):
            estimator.tick(number * interval_us)
            assert number < 60 or (estimator.reading, estimator.fault) == (None, fault)

    def test_a_fault_is_over_when_the_tempo_is_in_range_again(self) -> None:
        estimator = TempoEstimator()
        for number in range(20_000):
            estimator.tick(number * 100)
        for time_us in heard(steady(120, 12, begin_us=2 * SECOND + 20_000)):
            estimator.tick(time_us)
        assert estimator.fault is None
        assert estimator.reading is not None
        assert estimator.reading.bpm == pytest.approx(120, rel=1e-4)

    @given(st.lists(st.integers(-(2**40), 2**40), max_size=120))
    @settings(max_examples=60, deadline=None)
    def test_any_times_at_all_are_survived(self, times: list[int]) -> None:
        for reading in readings(times):
            assert reading is None or 19.9 < reading.bpm < 1_001

    @given(st.lists(st.integers(-30_000, 120_000), min_size=50, max_size=250))
    @settings(max_examples=60, deadline=None)
    def test_so_are_any_intervals(self, intervals: list[int]) -> None:
        time_us, times = 0, []
        for interval_us in intervals:
            time_us += interval_us
            times.append(time_us)
        for reading in readings(times):
            assert reading is None or 19.9 < reading.bpm < 1_001
            assert reading is None or reading.error_bpm >= 0
