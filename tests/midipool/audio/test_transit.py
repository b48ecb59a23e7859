"""Transit of packets, and counts of the last seconds."""

from hypothesis import given
from hypothesis import strategies as st

from midipool.audio.recent import Recent
from midipool.audio.transit import WINDOW_US, TransitWindow

SECOND = 1_000_000
packets = st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(-1000, 50_000)), min_size=1)


@given(packets, st.integers(1, 100))
def test_so_many_percent_took_so_long_or_less(steps: list[tuple[int, int]], percent: int) -> None:
    window, came, now_us = TransitWindow(), [], 0
    for step_us, transit_us in steps:
        now_us += step_us
        window.add(now_us - transit_us, now_us)
        came.append((now_us, transit_us))
    recent = [transit for at, transit in came if at > now_us - WINDOW_US]
    assert window.least_us == min(recent)
    within = sum(transit - min(recent) <= window.jitter_us(percent) for transit in recent)
    assert within >= len(recent) * percent / 100
    assert window.jitter_us(100) == max(recent) - min(recent)


def test_what_came_before_the_window_counts_no_more() -> None:
    window = TransitWindow()
    window.add(0, 5)
    window.add(WINDOW_US - 10, WINDOW_US)
    assert (window.least_us, window.jitter_us()) == (5, 5)
    window.add(WINDOW_US - 5, WINDOW_US + 5)
    assert (window.least_us, window.jitter_us()) == (10, 0)


def test_a_window_that_nothing_came_in_says_nothing() -> None:
    window = TransitWindow()
    assert (window.least_us, window.jitter_us()) == (None, 0)
    window.add(0, 7)
    window.forget()
    assert (window.least_us, window.jitter_us()) == (None, 0)


class TestRecent:
    def test_only_what_came_within_the_window_counts(self) -> None:
        recent = Recent(10 * SECOND)
        for second in range(100):
            recent.look(second * SECOND, 90 * second, 10 * second)
        assert (recent.good, recent.bad, recent.share) == (900, 100, 0.1)

    def test_what_is_over_is_forgotten(self) -> None:
        recent = Recent(2 * SECOND)
        recent.look(0, 0, 0)
        recent.look(SECOND, 100, 5)
        for second in range(2, 6):
            recent.look(second * SECOND, 100 * second, 5)
        assert recent.share == 0

    def test_many_looks_a_second_cost_no_memory(self) -> None:
        recent = Recent(10 * SECOND)
        for number in range(40_000):
            recent.look(number * 1000, number, 0)
        assert len(recent._looks) <= 110
        assert 10_000 <= recent.good <= 10_200

    def test_counts_that_begin_anew_are_a_new_beginning(self) -> None:
        recent = Recent(10 * SECOND)
        recent.look(0, 1000, 50)
        recent.look(SECOND, 2000, 60)
        recent.look(2 * SECOND, 5, 0)
        assert (recent.good, recent.bad, recent.share) == (0, 0, 0.0)
