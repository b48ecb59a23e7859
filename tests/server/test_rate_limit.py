"""How much one connection may send."""

from hypothesis import given
from hypothesis import strategies as st

from midipool_server.rate_limit import RateLimit

SECOND = 1_000_000


def test_a_burst_and_then_an_even_flow() -> None:
    limit = RateLimit(per_second=10, burst=3)
    assert [limit.allow(0) for _ in range(4)] == [True, True, True, False]
    assert [limit.allow(SECOND // 10), limit.allow(SECOND // 10)] == [True, False]


def test_a_pause_brings_back_the_burst_and_no_more() -> None:
    limit = RateLimit(per_second=10, burst=3)
    for _ in range(3):
        limit.allow(0)
    assert [limit.allow(3600 * SECOND) for _ in range(4)] == [True, True, True, False]


def test_what_costs_more_counts_more() -> None:
    limit = RateLimit(per_second=1, burst=10)
    assert [limit.allow(0, cost=5), limit.allow(0, cost=5), limit.allow(0)] == [True, True, False]


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    limit = RateLimit(per_second=1, burst=1)
    assert limit.allow(5 * SECOND)
    assert not limit.allow(0)


@given(st.lists(st.integers(0, 300_000), min_size=1, max_size=200))
def test_never_more_than_the_burst_and_the_flow(gaps_us: list[int]) -> None:
    limit, now_us, allowed = RateLimit(per_second=20, burst=5), 0, 0
    for gap_us in gaps_us:
        now_us += gap_us
        allowed += limit.allow(now_us)
        assert allowed <= 5 + now_us * 1e-6 * 20 + 1e-6


def test_whoever_keeps_below_the_flow_is_never_refused() -> None:
    limit = RateLimit(per_second=50, burst=1)
    assert all(limit.allow(number * SECOND // 50) for number in range(500))
