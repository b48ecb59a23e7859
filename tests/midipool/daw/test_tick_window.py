"""Lines through stretches of ticks, whatever was done to the ticks before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.daw.tick_window import WINDOW_TICKS, TickWindow

STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "cut", "move", "weigh", "begin"]), st.integers(0, 40)),
    max_size=60,
)


def window_of(times: list[int], weights: list[int]) -> TickWindow:
    window = TickWindow()
    for time_us, weight in zip(times, weights, strict=True):
        window.add(time_us, weight)
    return window


@given(st.integers(-(2**50), 2**50), STEPS)
def test_its_sums_are_those_of_the_ticks_it_has(
    origin_us: int, steps: list[tuple[str, int]]
) -> None:
    window = window_of([origin_us + n * 20_833 for n in range(30)], [1] * 30)
    for step, number in steps:
        index = number % len(window)
        match step:
            case "add":
                window.add(window.origin_us + window.times[-1] + 20_000 + number, number % 2)
            case "cut":
                window.cut(index)
            case "move":
                window.move(index, number - 20)
            case "weigh":
                window.weigh(index, [number % 3] * (len(window) - index))
            case _:
                window.begin_at(index, window.times[index] + number, 12)
    fresh = window_of([window.origin_us + t for t in window.times], window.weights)
    assert fresh.numbers == window.numbers
    # Times may count from another tick once the first one was moved.
    a, b = fresh.line(0, len(fresh)), window.line(0, len(window))
    assert (a is None) == (b is None)
    if a is not None and b is not None:
        assert b.slope == pytest.approx(a.slope, rel=1e-9)
        assert window.origin_us + b.at(3) == pytest.approx(
            fresh.origin_us + a.at(3), abs=1e-3, rel=0
        )


def test_it_forgets_what_is_older_than_it_may_be() -> None:
    window = window_of(list(range(3_000)), [1] * 3_000)
    assert WINDOW_TICKS <= len(window) <= WINDOW_TICKS + 24
    assert window.origin_us + window.times[-1] == 2_999


def test_ticks_of_no_weight_do_not_bend_a_line() -> None:
    window = window_of([0, 100, 90_000, 300], [1, 1, 0, 1])
    line = window.line(0, 4)
    assert line is not None
    assert line.slope == pytest.approx(100)
    assert line.misfit == pytest.approx(0, abs=1e-6)
    assert line.ticks == 3
