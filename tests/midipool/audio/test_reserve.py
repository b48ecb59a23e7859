"""Time in hand: up at once, down slowly, and not again to where it was too little."""

from midipool.audio.reserve import FORGIVEN_US, Reserve

SECOND = 1_000_000
MOST_US = 50_000


def run(reserve: Reserve, from_s: float, seconds: float, wanted_us: int = 1_000) -> float:
    """Ten looks a second at which nothing happens; returns when that ends, in s."""
    for look in range(round(seconds * 10)):
        reserve.come_down(wanted_us, round((from_s + look / 10) * SECOND))
    return from_s + seconds


def test_it_comes_down_by_a_millisecond_a_second_when_it_was_calm() -> None:
    reserve = Reserve(1_000, 1_000, 10 * SECOND)
    reserve.raise_by(9_000, 0, MOST_US)
    assert reserve.us == 10_000
    assert run(reserve, 0, 10) == 10
    assert reserve.us == 10_000
    run(reserve, 10, 3)
    assert 6_000 <= reserve.us <= 8_000
    run(reserve, 13, 60)
    assert reserve.us == 1_000


def test_it_does_not_come_down_for_a_trifle() -> None:
    reserve = Reserve(1_000, 1_000, 10 * SECOND)
    reserve.rise_to(3_000)
    run(reserve, 0, 60)
    assert reserve.us == 3_000


def test_where_it_was_too_little_it_does_not_go_again() -> None:
    reserve = Reserve(1_000, 1_000, 10 * SECOND)
    reserve.raise_by(9_000, 0, MOST_US)
    run(reserve, 0, 60)
    reserve.raise_by(4_000, 60 * SECOND, MOST_US)  # 1 ms was too little
    run(reserve, 60, 200)
    assert reserve.us == 2_000


def test_it_is_forgiven_and_tried_again_ever_later() -> None:
    reserve = Reserve(1_000, 1_000, 10 * SECOND)
    now_s, waits_s = 0.0, []
    for _ in range(4):
        reserve.raise_by(9_000, round(now_s * SECOND), MOST_US)
        begin_s = now_s
        while reserve.us > 1_000:
            now_s = run(reserve, now_s, 1)
        waits_s.append(now_s - begin_s)
    assert waits_s[0] < 30
    assert all(wait_s >= FORGIVEN_US / SECOND for wait_s in waits_s[1:])
    assert waits_s == sorted(waits_s)
    assert waits_s[3] >= 2 * waits_s[1] - 60


def test_its_most_holds_and_what_is_more_already_stays() -> None:
    reserve = Reserve(1_000, 1_000, 10 * SECOND)
    reserve.raise_by(100_000, 0, 20_000)
    assert reserve.us == 20_000
    reserve.raise_by(1_000, SECOND, 5_000)
    assert reserve.us == 20_000
