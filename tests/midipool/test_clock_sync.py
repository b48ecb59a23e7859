"""The clock estimate on generated networks, judged by what is heard: the steered map."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.clock_sync import ClockSync, ProbeSample

from .networks import (
    HOST_BEGIN_NS,
    MS,
    SECOND,
    US,
    Heard,
    Network,
    bursty,
    jittery,
    listen,
    quiet,
    rerouted,
    samples_of,
)

DRIFTS = [0.0, 100e-6, -100e-6, 200e-6, -200e-6]
AS_TIMESTAMPS_NS = 2_000


def worst(heard: Heard, from_s: float) -> int:
    return max(heard.errors_from(from_s))


def estimate_error(network: Network, heard: Heard, number: int) -> int:
    estimate = heard.estimates[number]
    return abs(estimate.at_ns + estimate.offset_ns - network.room_at(estimate.at_ns))


class TestQuietLink:
    @pytest.mark.parametrize("drift", DRIFTS)
    @pytest.mark.parametrize("seed", range(3))
    def test_it_is_right_to_20_us_after_two_seconds(self, drift: float, seed: int) -> None:
        assert worst(listen(Network(quiet(), quiet(), drift), 10, seed), 2) < 20 * US

    @pytest.mark.parametrize("drift", DRIFTS)
    @pytest.mark.parametrize("seed", range(3))
    def test_its_bound_holds_from_the_first_probe_on(self, drift: float, seed: int) -> None:
        network = Network(quiet(), quiet(), drift)
        heard = listen(network, 3, seed)
        for number, estimate in enumerate(heard.estimates):
            bound = estimate.error_bound_ns + AS_TIMESTAMPS_NS
            assert estimate_error(network, heard, number) <= bound

    @pytest.mark.parametrize("drift", DRIFTS)
    def test_it_finds_the_drift(self, drift: float) -> None:
        last = listen(Network(quiet(), quiet(), drift), 10).estimates[-1]
        assert abs(last.drift - drift) < 2e-6

    def test_it_is_right_to_a_millisecond_after_a_second(self) -> None:
        heard = listen(Network(quiet(5, 100), quiet(5, 100), 100e-6), 3)
        assert worst(heard, 1) < MS

    def test_what_it_says_of_the_link_is_so(self) -> None:
        last = listen(Network(quiet(5, 20), quiet(5, 20)), 10).estimates[-1]
        assert last.round_trip_ns == pytest.approx(10 * MS, rel=0.01)
        assert last.jitter_ns < 100 * US
        assert last.error_bound_ns == pytest.approx(5 * MS, rel=0.02)


class TestWildLink:
    @pytest.mark.parametrize("drift", [100e-6, -100e-6])
    def test_it_is_right_to_half_a_millisecond_99_of_100_times_from_ten_seconds_on(
        self, drift: float
    ) -> None:
        network = Network(jittery(40, 10, loss=0.02), jittery(40, 10, loss=0.02), drift)
        errors = [e for seed in range(20) for e in listen(network, 60, seed).errors_from(10)]
        off = sum(error >= MS // 2 for error in errors)
        assert off <= len(errors) / 100
        assert max(errors) < MS

    def test_its_bound_holds(self) -> None:
        network = Network(jittery(40, 10, 0.02), jittery(40, 10, 0.02), 100e-6)
        heard = listen(network, 20, seed=3)
        for number, estimate in enumerate(heard.estimates):
            assert estimate_error(network, heard, number) <= estimate.error_bound_ns

    @pytest.mark.parametrize("seed", range(3))
    def test_three_of_ten_lost_does_little(self, seed: int) -> None:
        network = Network(jittery(40, 10, loss=0.3), jittery(40, 10, loss=0.3), 100e-6)
        assert worst(listen(network, 30, seed), 15) < 3 * MS // 2

    @pytest.mark.parametrize("seed", range(3))
    def test_queues_that_come_and_go_are_seen_through(self, seed: int) -> None:
        queue = bursty(5, queue_ms=20, every_s=3, busy_s=2)
        assert worst(listen(Network(queue, queue, 100e-6), 30, seed), 10) < 100 * US


class TestAsymmetry:
    @pytest.mark.parametrize(("up_ms", "down_ms"), [(5, 15), (15, 5), (0.1, 60)])
    def test_nobody_can_measure_it_but_the_bound_holds(self, up_ms: float, down_ms: float) -> None:
        network = Network(quiet(up_ms), quiet(down_ms), 50e-6)
        heard = listen(network, 8)
        for number, estimate in enumerate(heard.estimates):
            bound = estimate.error_bound_ns + AS_TIMESTAMPS_NS
            assert estimate_error(network, heard, number) <= bound
        expected = abs(up_ms - down_ms) / 2 * MS
        assert worst(heard, 5) == pytest.approx(expected, rel=0.01)


class TestChanges:
    @pytest.mark.parametrize(("before_ms", "after_ms"), [(5, 20), (20, 5)])
    def test_another_route_both_ways_is_hardly_noticed(
        self, before_ms: float, after_ms: float
    ) -> None:
        path = rerouted(quiet(before_ms), quiet(after_ms), at_s=12)
        heard = listen(Network(path, path, 100e-6), 25)
        assert worst(heard, 2) < MS // 2
        assert heard.steering.steps == 0

    @pytest.mark.parametrize("seed", range(3))
    def test_nor_is_it_when_the_last_of_the_old_route_is_forgotten(self, seed: int) -> None:
        path = rerouted(quiet(), jittery(20, 5, 0.02), at_s=40)
        heard = listen(Network(path, path, 30e-6), 115, seed)
        assert worst(heard, 2) < MS // 2

    def test_a_longer_way_in_one_direction_is_known_for_what_it_is_for_a_while(self) -> None:
        network = Network(rerouted(quiet(5), quiet(20), at_s=12), quiet(5), 100e-6)
        assert worst(listen(network, 40), 2) < MS // 2

    @pytest.mark.parametrize("drift", [0.0, 100e-6])
    def test_a_shorter_way_in_one_direction_is_within_the_bound(self, drift: float) -> None:
        network = Network(rerouted(quiet(20), quiet(5), at_s=12), quiet(20), drift)
        heard = listen(network, 30)
        for number, estimate in enumerate(heard.estimates):
            bound = estimate.error_bound_ns + AS_TIMESTAMPS_NS
            assert estimate_error(network, heard, number) <= bound

    @pytest.mark.parametrize("jump_ns", [3 * SECOND, -3 * SECOND, 30 * MS, -3600 * SECOND])
    def test_a_room_clock_that_jumps_is_followed_at_once(self, jump_ns: int) -> None:
        network = Network(quiet(), quiet(), 50e-6, jump_at_s=6, jump_ns=jump_ns)
        heard = listen(network, 10)
        assert heard.sync.jumps == 1
        assert worst(heard, 6.2) < 200 * US
        assert worst(heard, 9) < 20 * US

    def test_forgetting_starts_anew(self) -> None:
        sync = listen(Network(quiet(), quiet()), 3).sync
        sync.forget()
        assert sync.estimate(HOST_BEGIN_NS) is None
        other = Network(quiet(3), quiet(3), jump_at_s=0, jump_ns=99 * SECOND)
        for sample in samples_of(other, 1, seed=2):
            sync.add(sample)
        estimate = sync.estimate(HOST_BEGIN_NS + SECOND)
        assert estimate is not None
        truth_ns = other.room_at(HOST_BEGIN_NS + SECOND)
        assert abs(estimate.room_at(HOST_BEGIN_NS + SECOND) - truth_ns) < MS
        assert sync.jumps == 0


class TestWithoutProbes:
    def test_it_goes_on_with_the_drift_and_says_that_it_may_be_off(self) -> None:
        network = Network(quiet(), quiet(), 80e-6)
        sync = listen(network, 10).sync
        soon = sync.estimate(HOST_BEGIN_NS + 10 * SECOND)
        later = sync.estimate(HOST_BEGIN_NS + 40 * SECOND)
        assert soon is not None
        assert later is not None
        assert later.error_bound_ns > soon.error_bound_ns
        truth_ns = network.room_at(later.at_ns)
        assert abs(later.at_ns + later.offset_ns - truth_ns) < 100 * US

    def test_before_the_first_it_knows_nothing(self) -> None:
        assert ClockSync().estimate(0) is None

    def test_one_probe_is_enough_to_begin_with(self) -> None:
        sync = ClockSync()
        assert sync.add(ProbeSample(1_000, 51_500, 51_600, 2_100))
        estimate = sync.estimate(2_100)
        assert estimate is not None
        assert estimate.offset_ns == 50_000
        assert estimate.error_bound_ns >= 500
        assert abs(estimate.drift) < 1e-12


class TestRubbish:
    @pytest.mark.parametrize(
        "sample",
        [
            ProbeSample(1_000, 0, 10, 500),  # answered before it was sent
            ProbeSample(0, 10, 5, 1_000),  # left before it arrived
            ProbeSample(0, 0, 5_000, 1_000),  # took longer there than in all
        ],
    )
    def test_a_probe_that_contradicts_itself_is_ignored(self, sample: ProbeSample) -> None:
        sync = listen(Network(quiet(), quiet()), 1).sync
        before = sync.estimate(HOST_BEGIN_NS + SECOND)
        assert not sync.add(sample)
        assert sync.estimate(HOST_BEGIN_NS + SECOND) == before

    @given(st.lists(st.tuples(*[st.integers(-(2**62), 2**62)] * 4), max_size=12))
    @settings(max_examples=60, deadline=None)
    def test_nothing_that_comes_breaks_it(self, samples: list[tuple[int, int, int, int]]) -> None:
        sync = ClockSync()
        for sample in samples:
            sync.add(ProbeSample(*sample))
            estimate = sync.estimate(max(sample))
            assert estimate is None or estimate.error_bound_ns >= 0


def test_late_and_reordered_answers_do_no_harm() -> None:
    network = Network(jittery(40, 30, 0.0), jittery(40, 30, 0.0), 30e-6)
    samples = samples_of(network, 10, seed=5)
    by_sending: Callable[[ProbeSample], int] = lambda s: s.t1_ns  # noqa: E731
    sync, shuffled = ClockSync(), ClockSync()
    for sample in samples:
        sync.add(sample)
    for sample in sorted(samples, key=by_sending):
        shuffled.add(sample)
    now_ns = HOST_BEGIN_NS + 10 * SECOND
    one, other = sync.estimate(now_ns), shuffled.estimate(now_ns)
    assert one is not None
    assert other is not None
    assert abs(one.offset_ns - other.offset_ns) < MS
