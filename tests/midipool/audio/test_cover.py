"""What lies decoded for a machine that stands still now and then."""

from itertools import pairwise

from midipool.audio.cover import MOST_US, Cover

SECOND = 1_000_000
LEAST_US = 1_334
PERIOD_US = 2_667


def covers(
    seconds: int,
    every_s: int,
    used_us: int,
    until_s: int = 10**6,
    period_us: int = PERIOD_US,
) -> list[int]:
    """The cover after each second, when a moment every so often needs `used_us`."""
    cover, after = Cover(LEAST_US, period_us), []
    for look in range(10 * seconds):
        stands = look % (10 * every_s) == 5 and look < 10 * until_s
        cover.look(look * SECOND // 10, used_us if stands else 0, 0)
        after += [cover.us] if look % 10 == 9 else []
    return after


def test_what_is_needed_again_and_again_lies_there_and_stays() -> None:
    after = covers(600, 5, 4_000)
    assert all(4_000 <= us <= 4_500 for us in after[6:])


def test_one_stray_moment_is_not_paid_for() -> None:
    assert set(covers(300, 1_000, 4_000)) == {LEAST_US}


def test_what_is_seldom_is_not_either() -> None:
    assert set(covers(600, 150, 4_000)) == {LEAST_US}


def test_behind_an_xrun_no_buffer_helps() -> None:
    cover = Cover(LEAST_US, PERIOD_US)
    for look in range(600):
        near = look % 50
        cover.look(look * SECOND // 10, 9_000 if near in (4, 6) else 0, (look + 45) // 50)
    assert cover.us == LEAST_US


def test_it_comes_down_slowly_when_it_is_over() -> None:
    after = covers(300, 5, 4_000, until_s=30)
    assert after[130] >= 4_000
    assert after[299] == LEAST_US
    assert all(a - b <= 1_000 for a, b in pairwise(after))


def test_a_long_period_is_covered_wholly_or_not_at_all() -> None:
    assert covers(60, 5, 21_333, period_us=21_333)[-1] >= 21_333


def test_it_does_not_grow_without_end() -> None:
    assert max(covers(60, 5, 400_000)) == MOST_US
