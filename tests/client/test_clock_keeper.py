"""The clock of the room that we are in, and of the one we are coming to."""

from midipool.clock_sync import ProbeSample
from midipool_client.clock_keeper import ENOUGH_SAMPLES, ClockChange, ClockKeeper

MS, SECOND = 1_000_000, 1_000_000_000


def probe(keeper: ClockKeeper, host_ns: int, offset_ns: int) -> ClockChange | None:
    there_ns = host_ns - 100_000 + offset_ns
    return keeper.add(ProbeSample(host_ns - 200_000, there_ns, there_ns, host_ns), host_ns)


def measured(offset_ns: int = 7 * SECOND) -> tuple[ClockKeeper, int]:
    keeper, now_ns = ClockKeeper(), 50 * SECOND
    keeper.use_clock("aa")
    for _ in range(ENOUGH_SAMPLES):
        now_ns += 15 * MS
        probe(keeper, now_ns, offset_ns)
    return keeper, now_ns


def test_there_is_no_clock_before_it_was_measured() -> None:
    keeper = ClockKeeper()
    keeper.use_clock("aa")
    assert keeper.measuring
    assert keeper.room_us(0) is None
    changes = [probe(keeper, n * MS, SECOND) for n in range(1, ENOUGH_SAMPLES + 1)]
    assert changes[:-1] == [None] * (ENOUGH_SAMPLES - 1)
    change = changes[-1]
    assert change is not None
    assert (change.shift_us, change.lost) == (0, False)
    assert keeper.clock_id == "aa"
    assert not keeper.measuring


def test_then_it_shows_room_time() -> None:
    keeper, now_ns = measured()
    room_us = keeper.room_us(now_ns)
    assert room_us is not None
    assert abs(room_us - (now_ns + 7 * SECOND) // 1000) <= 1
    assert keeper.estimate is not None


def test_the_same_clock_again_is_nothing_new() -> None:
    keeper, _ = measured()
    keeper.use_clock("aa")
    assert not keeper.measuring


def test_the_old_clock_goes_on_until_the_new_one_is_known() -> None:
    keeper, now_ns = measured()
    keeper.use_clock("bb")
    assert keeper.measuring
    for n in range(1, ENOUGH_SAMPLES):
        assert probe(keeper, now_ns + n * MS, -3 * SECOND) is None
        assert keeper.clock_id == "aa"
    before_us = keeper.room_us(now_ns + 20 * MS)
    change = probe(keeper, now_ns + 20 * MS, -3 * SECOND)
    after_us = keeper.room_us(now_ns + 20 * MS)
    assert change is not None
    assert before_us is not None
    assert after_us is not None
    assert abs(change.shift_us - (after_us - before_us)) <= 1
    assert abs(change.shift_us + 10 * SECOND // 1000) <= 1
    assert not change.lost


def test_back_to_the_old_clock_before_the_new_one_was_known() -> None:
    keeper, now_ns = measured()
    keeper.use_clock("bb")
    probe(keeper, now_ns + MS, -3 * SECOND)
    keeper.use_clock("aa")
    assert not keeper.measuring
    change = probe(keeper, now_ns + 2 * MS, 7 * SECOND)
    assert change is not None
    assert change.shift_us == 0


def test_named_twice_a_new_clock_is_measured_once() -> None:
    keeper, now_ns = measured()
    keeper.use_clock("bb")
    for n in range(1, ENOUGH_SAMPLES):
        probe(keeper, now_ns + n * MS, 0)
    keeper.use_clock("bb")
    assert probe(keeper, now_ns + 20 * MS, 0) is not None


def test_forgetting_leaves_the_map() -> None:
    keeper, now_ns = measured()
    keeper.forget()
    room_us = keeper.room_us(now_ns + SECOND)
    assert room_us is not None
    assert abs(room_us - (now_ns + 8 * SECOND) // 1000) <= 2


def test_after_sleep_room_time_has_gone_on() -> None:
    keeper, now_ns = measured()
    change = keeper.slept(600 * SECOND, now_ns)
    assert change is not None
    assert change.lost
    room_us = keeper.room_us(now_ns)
    assert room_us is not None
    assert abs(room_us - (now_ns + 607 * SECOND) // 1000) <= 2
    after = probe(keeper, now_ns + 5 * MS, 607 * SECOND + 40_000)
    assert after is not None
    assert not after.lost


def test_sleep_while_a_new_clock_is_measured_does_not_spoil_it() -> None:
    keeper, now_ns = measured()
    keeper.use_clock("bb")
    for n in range(1, ENOUGH_SAMPLES):
        probe(keeper, now_ns + n * MS, SECOND)
    keeper.slept(100, now_ns)
    changes = [probe(keeper, now_ns + n * MS, 2 * SECOND) for n in range(20, 20 + ENOUGH_SAMPLES)]
    assert changes[-1] is not None
    room_us = keeper.room_us(now_ns + 40 * MS)
    assert room_us is not None
    assert abs(room_us - (now_ns + 40 * MS + 2 * SECOND) // 1000) <= 50


def test_sleep_before_anything_is_known_is_nothing() -> None:
    assert ClockKeeper().slept(SECOND, 0) is None


def test_a_jump_of_the_rooms_clock_loses_the_device() -> None:
    keeper, now_ns = measured()
    change = probe(keeper, now_ns + MS, 9 * SECOND)
    assert change is not None
    assert change.lost


def test_a_small_step_does_not() -> None:
    keeper, now_ns = measured()
    change = probe(keeper, now_ns + MS, 7 * SECOND + 30 * MS)
    assert change is not None
    assert not change.lost
    room_us = keeper.room_us(now_ns + MS)
    assert room_us is not None
    assert abs(room_us - (now_ns + 31 * MS + 7 * SECOND) // 1000) <= 2
