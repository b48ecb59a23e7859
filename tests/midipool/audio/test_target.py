"""The adaptive buffer on generated networks: what is late, how long it waits, and that it rests."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.audio.target import AdaptiveTarget, Limits, Measured
from tests.midipool.networks import Delay, bursty, jittery, quiet

from .stream import ENCODING, SECOND, limits, play

FLOOR_MS = limits().floor_us / 1000
PACKET_MS = ENCODING.packet_us / 1000


def lossy(delay: Delay, loss: float) -> Delay:
    return lambda rng, at_ns: None if rng.random() < loss else delay(rng, at_ns)


def until(delay: Delay, then: Delay, at_s: float) -> Delay:
    """Another network from `at_s` on."""
    return lambda rng, at_ns: (delay if at_ns < at_s * 1e9 else then)(rng, at_ns)


class TestNetworks:
    def test_on_a_plain_link_it_stays_as_low_as_it_begins(self) -> None:
        played = play(quiet(), 20)
        assert not played.late
        (begin_us,) = {target.us for _, target in played.targets}
        assert begin_us == pytest.approx(limits().floor_us + ENCODING.packet_us, abs=1)
        assert played.targets[-1][1].words == "nothing is lost or late"

    @pytest.mark.parametrize("jitter_ms", [1, 10, 20])
    def test_it_holds_the_jitter_and_not_much_more(self, jitter_ms: float) -> None:
        played = play(jittery(40, jitter_ms, 0), 30)
        assert played.late_share(from_s=5) <= 0.001
        # From the quickest to the slowest packet it is twice the jitter.
        assert played.target_ms(29) <= FLOOR_MS + 2 * jitter_ms + 2 * PACKET_MS
        assert "jitter is" in played.targets[-1][1].words

    def test_one_that_has_a_long_tail_is_late_once_in_a_thousand(self) -> None:
        played = play(quiet(5, noise_us=2000), 120)
        assert played.late_share(from_s=10) <= 0.001
        assert played.target_ms(119) < 30

    def test_while_packets_are_lost_it_waits_for_all_repair(self) -> None:
        played = play(lossy(quiet(20), 0.05), 30)
        assert played.target_ms(5) * 1000 >= limits().floor_us + ENCODING.repair_wait_us
        assert played.target_ms(29) <= 21
        assert any(words.startswith("waits for repair of 5 % loss") for words in played.words())

    @pytest.mark.parametrize("jitter_ms", [0.5, 1.2])
    def test_a_little_jitter_costs_nothing_while_it_waits_for_repair(
        self, jitter_ms: float
    ) -> None:
        played = play(lossy(jittery(20, jitter_ms, 0), 0.05), 30)
        assert played.target_ms(29) * 1000 == limits().floor_us + ENCODING.repair_wait_us

    def test_one_percent_of_loss_is_worth_waiting_for(self) -> None:
        played = play(lossy(quiet(20), 0.01), 25, seed=4)
        assert played.target_ms(20) * 1000 >= limits().floor_us + ENCODING.repair_wait_us

    def test_without_loss_it_waits_for_no_repair(self) -> None:
        played = play(lossy(quiet(20), 0.0005), 40)
        assert played.target_ms(39) * 1000 < limits().floor_us + ENCODING.repair_wait_us

    def test_when_the_loss_is_over_it_comes_down_again(self) -> None:
        played = play(until(lossy(quiet(20), 0.05), quiet(20), 20), 90)
        assert played.target_ms(20) >= 20
        assert played.target_ms(89) <= FLOOR_MS + 2 * PACKET_MS

    def test_it_is_up_within_a_few_packets_of_the_trouble(self) -> None:
        played = play(until(quiet(20), jittery(35, 15, 0), 20), 30)
        late = [us for us in played.late if us >= 20 * SECOND]
        assert late[-1] - 20 * SECOND <= SECOND
        assert len(late) <= 12

    def test_it_comes_down_so_slowly_that_resampling_is_not_heard(self) -> None:
        played = play(until(jittery(40, 15, 0), quiet(25), 30), 120)
        down = [
            (b_us - a_us, a.us - b.us)
            for (a_us, a), (b_us, b) in pairwise(played.targets)
            if b.us < a.us
        ]
        assert len(down) > 20
        assert all(step_us <= 250 for _, step_us in down)
        begin_us, end_us = 30 * SECOND, played.targets[-1][0]
        lowered_us = sum(step_us for _, step_us in down)
        assert lowered_us <= (end_us - begin_us) // 1000 + 250
        assert played.target_ms(119) <= FLOOR_MS + 2 * PACKET_MS
        assert any(words.startswith("comes down from") for words in played.words())

    def test_it_does_not_come_down_before_it_was_calm_for_ten_seconds(self) -> None:
        played = play(until(jittery(40, 15, 0), quiet(25), 30), 60)
        high_ms = played.target_ms(30)
        assert played.target_ms(39) == high_ms
        assert played.target_ms(45) < high_ms

    def test_trouble_that_comes_again_does_not_make_it_swing(self) -> None:
        """Queues of up to 40 ms for 0.3 s, every 30 s: it would be down each time."""
        played = play(bursty(10, 8, 30, 0.3), 300)
        assert played.raises(from_s=120) <= 5
        assert played.late_share(from_s=120) <= 0.0002

    @pytest.mark.parametrize("seed", [2, 3])
    def test_it_rests_where_the_network_is_the_same_all_the_time(self, seed: int) -> None:
        played = play(jittery(30, 8, 0.01), 90, seed=seed)
        values = [target.us for us, target in played.targets if us > 20 * SECOND]
        assert max(values) - min(values) <= 4 * ENCODING.packet_us
        assert played.raises(from_s=20) <= 3


class TestCeiling:
    @pytest.mark.parametrize("ceiling_ms", [10, 20, 45.5])
    def test_it_is_never_above_what_the_user_allows(self, ceiling_ms: float) -> None:
        played = play(lossy(jittery(60, 40, 0), 0.05), 20, ceiling_ms)
        assert max(target.us for _, target in played.targets) <= ceiling_ms * 1000
        assert f"at its ceiling of {ceiling_ms:.1f} ms" in " ".join(played.words())

    def test_it_says_that_repair_needs_more(self) -> None:
        played = play(lossy(quiet(20), 0.05), 10, 12)
        words = played.targets[-1][1].words
        assert words.startswith("at its ceiling of 12.0 ms: waits for repair of ")
        assert words.endswith(" % loss, which needs 20.0 ms")

    def test_it_gives_way_to_what_the_device_needs(self) -> None:
        control = AdaptiveTarget(Limits(24_000, 10_000, 2_667, 17_333, 2_667))
        target = control.update(Measured(SECOND, 100, 0, 0))
        assert target.us == 24_000
        assert target.words == "24.0 ms is the least that packets and period allow"

    def test_a_new_ceiling_holds_at_once(self) -> None:
        control = AdaptiveTarget(limits(100))
        control.update(Measured(SECOND, 100, 0, 0, jitter_us=60_000))
        assert control.target.us > 60_000
        assert control.hold_to(limits(30)).us == 30_000


class TestLate:
    def test_one_stray_packet_is_no_trouble_and_two_are(self) -> None:
        control = AdaptiveTarget(limits())
        begin_us = control.update(Measured(0, 1, 0, 0)).us
        assert control.update(Measured(SECOND, 300, 1, 0, late_by_us=5_000)).us == begin_us
        target = control.update(Measured(SECOND + 2_000, 300, 2, 0, late_by_us=5_000))
        assert target.us == begin_us + 5_000 + -(-ENCODING.packet_us // 2)
        assert "2 packets of the last 2 s came too late, by up to 5.0 ms" in target.words

    def test_few_are_repaired_with_those_that_are_lost_and_many_are_trouble(self) -> None:
        control = AdaptiveTarget(limits())
        waits_us = limits().floor_us + ENCODING.repair_wait_us
        assert control.update(Measured(0, 950, 0, 50)).us < waits_us
        control.update(Measured(SECOND, 1_900, 0, 100))
        assert control.update(Measured(SECOND + 1, 1_900, 2, 100)).us == waits_us
        assert control.update(Measured(SECOND + 2, 1_900, 40, 100)).us > waits_us

    def test_one_outage_does_not_buy_an_endless_buffer(self) -> None:
        control = AdaptiveTarget(limits(500))
        begin_us = control.update(Measured(0, 1, 0, 0)).us
        target = control.update(Measured(SECOND, 1, 2, 0, late_by_us=400_000))
        assert target.us == begin_us + 20_000


class TestMachine:
    """The listener's own machine stands still for some ms now and then."""

    def test_it_says_what_it_waits_longer_for(self) -> None:
        control = AdaptiveTarget(limits())
        begin_us = control.target.us
        for look in range(6):
            control.update(Measured(look * SECOND, 300 * look, 0, 0, cover_used_us=4_000))
        assert control.target.us > begin_us + 2_000
        assert control.target.cover_us >= 4_000
        assert control.target.words == "4.5 ms lie ready, as this machine comes late at times"

    def test_what_is_late_near_an_xrun_is_no_fault_of_the_network(self) -> None:
        control = AdaptiveTarget(limits())
        control.update(Measured(0, 1, 0, 0))
        begin_us = control.target.us
        control.update(Measured(SECOND, 300, 20, 0, xruns=1))
        assert control.target.us == begin_us

    def test_under_a_low_ceiling_the_cover_gives_way(self) -> None:
        control = AdaptiveTarget(limits(4.5))
        target = control.update(Measured(SECOND, 100, 0, 0))
        assert target.us == 4_500
        assert target.cover_us == 4_500 - limits().floor_us - -(-ENCODING.packet_us // 2)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_measured_it_keeps_its_bounds(data: st.DataObject) -> None:
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    floor_us, ceiling_us = data.draw(st.integers(0, 30_000)), data.draw(st.integers(0, 200_000))
    control = AdaptiveTarget(Limits(floor_us, ceiling_us, 2_667, 17_333, 2_667))
    now_us, counts = 0, [0, 0, 0]
    for _ in range(300):
        now_us += rng.randrange(0, 2 * SECOND)
        counts = [count + rng.choice((0, 1, rng.randrange(1000))) for count in counts]
        if rng.random() < 0.02:
            counts = [0, 0, 0]
        big = rng.choice((100, 10_000, 10**7))
        before_us = control.target.us
        late_by_us, jitter_us = rng.randrange(-big, big), rng.randrange(big)
        came, late, lost = counts
        target = control.update(Measured(now_us, came, late, lost, late_by_us, jitter_us))
        assert floor_us <= target.us <= max(ceiling_us, floor_us)
        assert target.us >= before_us - 250
        assert 0 < len(target.words) <= 200
