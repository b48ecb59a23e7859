"""What grows is noticed, and what comes and goes is not."""

from collections.abc import Callable

import pytest

from tests.soak.growth import GrowthWatch, Use
from tests.soak.violation import Violation

STEP_US = 5_000_000


def judged(use: Callable[[int], tuple[int, int, int]], looks: int = 120) -> list[Violation]:
    watch = GrowthWatch("server")
    return [v for n in range(looks) for v in watch.take(Use(n * STEP_US, *use(n)))]


def test_what_is_flat_is_flat() -> None:
    assert judged(lambda n: (50_000, 40, 6)) == []


def test_so_is_what_fills_up_in_the_beginning() -> None:
    assert judged(lambda n: (20_000 + 5_000 * min(n, 11), 10 + min(n, 11), 6)) == []


def test_so_is_what_comes_and_goes() -> None:
    assert judged(lambda n: (50_000 + n % 7 * 9_000, 40 + n % 7 * 10, 6 + n % 3)) == []


@pytest.mark.parametrize(
    ("use", "found"),
    [
        (lambda n: (50_000 + n * 300, 40, 6), "memory flat"),
        (lambda n: (50_000, 40 + n // 8, 6), "files flat"),
        (lambda n: (50_000, 40, 6 + n // 8), "threads flat"),
    ],
)
def test_what_grows_is_told_once(use: Callable[[int], tuple[int, int, int]], found: str) -> None:
    [violation] = judged(use)
    assert (violation.invariant, violation.who) == (found, "server")


def test_a_short_look_says_nothing() -> None:
    assert judged(lambda n: (50_000 + n * 9_000, 40, 6), looks=30) == []
