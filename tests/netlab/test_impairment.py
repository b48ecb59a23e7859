"""The model on virtual time: nothing here waits."""

import itertools
import statistics
from dataclasses import replace

import pytest

from .impairment import Impairment

SEEDS = range(3)
PACKETS = 20_000


def deliveries(
    impairment: Impairment, interval_us: int = 1_000, packets: int = PACKETS, size_bytes: int = 100
) -> list[list[int]]:
    """Delay of every delivery of every packet, in µs."""
    sent_us = [number * interval_us for number in range(packets)]
    return [[due - now for due in impairment.schedule(now, size_bytes)] for now in sent_us]


def lost_runs(impairment: Impairment) -> list[int]:
    """Lengths of the bursts of loss."""
    lost = [not delays for delays in deliveries(impairment)]
    return [len(list(run)) for is_lost, run in itertools.groupby(lost) if is_lost]


def arrival_order(impairment: Impairment, interval_us: int = 1_000) -> list[int]:
    delays = deliveries(impairment, interval_us)
    times = [number * interval_us + delay[0] for number, delay in enumerate(delays)]
    return sorted(range(PACKETS), key=times.__getitem__)


def test_an_unimpaired_line_delivers_at_once() -> None:
    assert deliveries(Impairment(), packets=3) == [[0], [0], [0]]


def test_a_delay_is_exact() -> None:
    assert deliveries(Impairment(delay_ms=40.25), packets=3) == [[40_250]] * 3


@pytest.mark.parametrize("seed", SEEDS)
def test_jitter_is_uniform_around_the_delay(seed: int) -> None:
    sparse = Impairment(delay_ms=40, jitter_ms=10, seed=seed)
    delays_us = [delay for [delay] in deliveries(sparse, interval_us=20_001)]
    assert 30_000 <= min(delays_us) < 30_100
    assert 49_900 < max(delays_us) <= 50_000
    assert statistics.mean(delays_us) == pytest.approx(40_000, abs=200)
    assert statistics.pstdev(delays_us) == pytest.approx(10_000 / 3**0.5, rel=0.02)


def test_jitter_wider_than_the_delay_never_delivers_before_sending() -> None:
    jittery = Impairment(delay_ms=1, jitter_ms=10, reorder=True)
    assert min(delay for [delay] in deliveries(jittery)) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_order_is_kept_unless_reordering(seed: int) -> None:
    ordered = Impairment(delay_ms=40, jitter_ms=10, seed=seed)
    assert arrival_order(ordered) == list(range(PACKETS))
    mixed = arrival_order(replace(ordered, reorder=True))
    overtaken = sum(first > second for first, second in itertools.pairwise(mixed))
    assert overtaken > PACKETS / 4


def test_order_is_kept_across_a_change() -> None:
    slow, fast = Impairment(delay_ms=40), Impairment(delay_ms=10)
    [before_us] = slow.schedule(0, 100)
    fast.continue_from(slow)
    assert fast.schedule(1_000, 100) == [before_us]
    assert fast.schedule(50_000, 100) == [60_000]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("burst_length", [1, 3, 10])
@pytest.mark.parametrize("loss", [0.01, 0.05, 0.3])
def test_loss_and_bursts_have_their_means(loss: float, burst_length: int, seed: int) -> None:
    runs = lost_runs(Impairment(loss=loss, burst_loss_length=burst_length, seed=seed))
    mean_run = max(burst_length, 1 / (1 - loss))
    # Four standard errors; a burst's length is geometric, as is the gap between two.
    assert statistics.mean(runs) == pytest.approx(mean_run, rel=4 / len(runs) ** 0.5)
    assert sum(runs) / PACKETS == pytest.approx(loss, rel=4 * (2 / len(runs)) ** 0.5)


@pytest.mark.parametrize("seed", SEEDS)
def test_outages_have_their_share_and_their_longest(seed: int) -> None:
    packets = deliveries(Impairment(outage=0.1, outage_ms=50, seed=seed), packets=5 * PACKETS)
    out = [not delays for delays in packets]
    runs = [len(list(run)) for is_out, run in itertools.groupby(out) if is_out]
    assert sum(out) / len(out) == pytest.approx(0.1, rel=0.1)
    assert statistics.mean(runs) == pytest.approx(25, rel=0.1)
    assert max(runs) <= 51


def test_loss_of_nothing_and_of_all() -> None:
    assert all(deliveries(Impairment(loss=0)))
    assert not any(deliveries(Impairment(loss=1, burst_loss_length=5)))


def test_the_same_packets_are_lost_whatever_the_jitter() -> None:
    calm = deliveries(Impairment(loss=0.1, seed=7))
    rough = deliveries(Impairment(loss=0.1, seed=7, delay_ms=40, jitter_ms=10, duplicate=0.1))
    other = deliveries(Impairment(loss=0.1, seed=8))
    assert [not packet for packet in calm] == [not packet for packet in rough]
    assert [not packet for packet in calm] != [not packet for packet in other]


@pytest.mark.parametrize("reorder", [False, True])
def test_duplicates_are_second_deliveries(reorder: bool) -> None:
    doubling = Impairment(delay_ms=40, jitter_ms=10, duplicate=0.1, reorder=reorder)
    packets = deliveries(doubling)
    assert {len(packet) for packet in packets} == {1, 2}
    assert all(packet == sorted(packet) for packet in packets)
    doubled = sum(len(packet) == 2 for packet in packets)
    assert doubled / PACKETS == pytest.approx(0.1, abs=0.01)


def test_a_rate_queues_what_comes_faster() -> None:
    # 1000 bytes at 8 Mbit/s take 1 ms.
    slow = Impairment(rate_mbit=8, delay_ms=5)
    assert [slow.schedule(0, 1_000) for _ in range(3)] == [[6_000], [7_000], [8_000]]
    assert slow.schedule(100_000, 500) == [105_500]


def test_lost_packets_have_used_the_line() -> None:
    lossy = Impairment(rate_mbit=8, loss=0.5, seed=1)
    arrivals = [lossy.schedule(0, 1_000) for _ in range(100)]
    assert [due for due in arrivals if due] == [
        [1_000 * (number + 1)] for number, due in enumerate(arrivals) if due
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": 1.1},
        {"loss": -0.1},
        {"duplicate": 2},
        {"delay_ms": -1},
        {"jitter_ms": -1},
        {"burst_loss_length": 0.5},
        {"rate_mbit": 0},
        {"outage": 1},
        {"outage_ms": 0},
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings)).split("_")[0]):
        Impairment(**settings)  # type: ignore[arg-type]
