"""Tempo from trains that change, or that have faults which must not look like a change."""

import random

import pytest

from .simulated_daw import (
    TICKS,
    Jitter,
    gaussian,
    heard,
    held_up,
    ideal,
    no_jitter,
    stalled,
    steady,
    uniform,
)
from .tempo_readings import JITTERS, bpms, readings, worst


class TestFaults:
    """What machines do now and then must not be taken for another tempo."""

    @pytest.mark.parametrize("bpm", [60, 120, 174])
    @pytest.mark.parametrize(
        ("jitter", "seed"),
        [(no_jitter, 0), (uniform(1_000), 0), (uniform(1_000), 1), (gaussian(500), 1)],
    )
    @pytest.mark.parametrize("fault", ["in a row", "here and there", "stall", "lost", "extra"])
    def test_a_hiccup_moves_the_tempo_by_less_than_a_tenth(
        self, bpm: float, jitter: Jitter, seed: int, fault: str
    ) -> None:
        rng = random.Random(seed)
        at = rng.randrange(14 * TICKS, 18 * TICKS)
        times = with_fault(heard(steady(bpm, 22), jitter, seed), fault, at, rng)
        said = bpms(times, at - 1)
        assert max(abs(each - said[0]) for each in said) < 0.1

    @pytest.mark.parametrize("fault", ["in a row", "stall", "lost", "extra"])
    def test_so_it_is_just_after_it_settled_if_there_is_no_jitter(self, fault: str) -> None:
        times = with_fault(heard(steady(120, 10)), fault, 50, random.Random(1))
        assert worst(times, 48, 120) < 0.1

    def test_a_stall_during_the_first_beats_is_left_out(self) -> None:
        assert worst(stalled(heard(steady(120, 10)), 20, 80_000), 47, 120) < 0.1

    @pytest.mark.parametrize("jitter", JITTERS)
    def test_one_late_tick_of_fifty_does_no_harm(self, jitter: str) -> None:
        rng = random.Random(7)
        times = heard(steady(120, 80), JITTERS[jitter])
        late = {
            number: rng.randrange(30_000) for number in range(len(times)) if not rng.randrange(50)
        }
        assert worst(held_up(times, late), 16 * TICKS, 120) < 0.1

    def test_the_time_of_a_late_tick_is_when_it_was_due(self) -> None:
        truth = steady(120, 20)
        times = held_up(heard(truth), {300: 25_000})
        reading = readings(times)[300]
        assert reading is not None
        assert reading.tick_time_us == pytest.approx(truth[300], abs=10)


def with_fault(times: list[int], fault: str, at: int, rng: random.Random) -> list[int]:
    late = [rng.randrange(30_000) for _ in range(5)]
    match fault:
        case "in a row":
            return held_up(times, {at + number: each for number, each in enumerate(late)})
        case "here and there":
            return held_up(times, {at + rng.randrange(TICKS): each for each in late})
        case "stall":
            return stalled(times, at, rng.randrange(40_000, 80_000))
        case "lost":
            return times[:at] + times[at + 1 :]
        case _:
            return [*times[:at], times[at], *times[at:]]


class TestJump:
    @pytest.mark.parametrize("bpm", [60, 120, 174])
    @pytest.mark.parametrize("factor", [0.5, 0.7, 0.95, 0.98, 0.99, 1.0075, 1.01, 1.03, 1.2, 2])
    @pytest.mark.parametrize("jitter", [no_jitter, uniform(1_000)])
    def test_it_is_followed_within_a_beat(self, bpm: float, factor: float, jitter: Jitter) -> None:
        new = bpm * factor
        for seed in range(1 if jitter is no_jitter else 2):
            truth = ideal(lambda beat: new if beat >= 20 else bpm, 23)
            said = bpms(heard(truth, jitter, seed), 20 * TICKS)
            assert said[TICKS] == pytest.approx(new, rel=0.005)
            assert all(each == pytest.approx(new, rel=0.002) for each in said[2 * TICKS :])

    @pytest.mark.parametrize("sigma_us", [500, 1_000])
    @pytest.mark.parametrize("factor", [0.8, 0.98, 1.02, 1.4])
    def test_in_heavy_jitter_it_is_steady_again_from_16_beats_on(
        self, sigma_us: float, factor: float
    ) -> None:
        truth = ideal(lambda beat: 120 * factor if beat >= 20 else 120, 60)
        assert worst(heard(truth, gaussian(sigma_us)), 36 * TICKS, 120 * factor) < 0.05

    @pytest.mark.parametrize("bpm", [60, 120, 174])
    @pytest.mark.parametrize("factor", [0.7, 0.95, 0.98, 1.03, 1.2, 2])
    def test_in_heavy_jitter_it_is_within_a_percent_after_a_beat_and_a_third_after_two(
        self, bpm: float, factor: float
    ) -> None:
        new = bpm * factor
        truth = ideal(lambda beat: new if beat >= 20 else bpm, 23)
        off = []
        for seed in range(2):
            said = bpms(heard(truth, gaussian(1_000), seed), 20 * TICKS)
            assert all(each == pytest.approx(new, rel=0.0035) for each in said[2 * TICKS :])
            off.append(abs(said[TICKS] / new - 1))
        assert max(off) < 0.01
        assert min(off) < 0.005

    @pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2])
    @pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
    def test_it_may_be_between_two_ticks(self, factor: float, share: float) -> None:
        def tempo(beat: float) -> float:
            if abs(beat - 20) < 0.5 / TICKS:
                return 120 / (share + (1 - share) / factor)
            return 120 * factor if beat > 20 else 120

        said = bpms(heard(ideal(tempo, 24), uniform(500)), 20 * TICKS)
        assert said[TICKS] == pytest.approx(120 * factor, rel=0.005)
        assert all(each == pytest.approx(120 * factor, rel=0.003) for each in said[2 * TICKS :])

    def test_the_other_tempo_is_not_mixed_with_the_old_one(self) -> None:
        truth = ideal(lambda beat: 140 if beat >= 20 else 120, 22)
        assert worst(heard(truth), 20 * TICKS + 12, 140) < 0.1


class TestRamp:
    @pytest.mark.parametrize("percent_a_beat", [-2, -1, -0.5, 0.5, 1, 2])
    @pytest.mark.parametrize("jitter_us", [0, 300, 1_000])
    def test_it_is_followed_with_a_lag_of_less_than_a_beat(
        self, percent_a_beat: float, jitter_us: float
    ) -> None:
        rate = 120 * percent_a_beat / 100

        def tempo(beat: float) -> float:
            return 120 + rate * min(max(beat - 12, 0), 16)

        behind = []
        for seed in range(3):
            said = bpms(heard(ideal(tempo, 30), uniform(jitter_us), seed), 12 * TICKS)
            behind += [
                tempo(12 + number / TICKS) - each for number, each in enumerate(said[: 16 * TICKS])
            ]
        a_beats_worth = abs(rate)
        assert abs(sum(behind) / len(behind)) < a_beats_worth / 2
        # Where it begins and ends, jitter hides it for a while.
        assert max(map(abs, behind)) < a_beats_worth + 0.8 * jitter_us / 1_000
