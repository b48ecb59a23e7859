"""From estimates to a clock that does not jump."""

from hypothesis import given
from hypothesis import strategies as st

from midipool.clock_steering import MAX_SLEW, STEP_NS, ClockSteering
from midipool.clock_sync import ClockEstimate

SECOND = 1_000_000_000
drifts = st.floats(-500e-6, 500e-6)
updates = st.tuples(st.integers(1_000_000, SECOND), st.integers(-STEP_NS, STEP_NS), drifts)


def estimate(
    at_ns: int, offset_ns: int, drift: float = 0.0, error_bound_ns: int = 0
) -> ClockEstimate:
    return ClockEstimate(at_ns, offset_ns, drift, error_bound_ns, 0, 0)


@given(st.lists(updates, max_size=12))
def test_small_errors_are_never_stepped(updates: list[tuple[int, int, float]]) -> None:
    steering = ClockSteering()
    now_ns = SECOND
    clock_map = steering.update(estimate(now_ns, 10**12), now_ns)
    for later_ns, error_ns, drift in updates:
        now_ns += later_ns
        shown_ns = clock_map.room_at(now_ns)
        new = steering.update(estimate(now_ns, shown_ns + error_ns - now_ns, drift), now_ns)
        assert new.room_at(now_ns) == shown_ns
        # It never runs backwards, nor faster than the slew and the drift allow.
        for a_ns, b_ns in ((0, SECOND), (SECOND, 3 * SECOND)):
            went_ns = new.room_at(now_ns + b_ns) - new.room_at(now_ns + a_ns)
            assert abs(went_ns / (b_ns - a_ns) - 1) <= 5e-3 + 500e-6 + 1e-6
        clock_map = new
    assert steering.steps == 0


@given(st.integers(-STEP_NS, STEP_NS), drifts)
def test_it_is_right_when_the_slew_ends(error_ns: int, drift: float) -> None:
    steering = ClockSteering()
    steering.update(estimate(0, 0), 0)
    truth = estimate(SECOND, error_ns, drift)
    clock_map = steering.update(truth, SECOND)
    end_ns = SECOND + max(SECOND, round(abs(error_ns) / MAX_SLEW))
    for later_ns in (end_ns, end_ns + 10 * SECOND):
        assert abs(clock_map.room_at(later_ns) - truth.room_at(later_ns)) <= 2


@given(st.integers(STEP_NS + 1, 10**12), st.sampled_from([-1, 1]))
def test_a_big_error_is_stepped_at_once(error_ns: int, sign: int) -> None:
    steering = ClockSteering()
    steering.update(estimate(0, 0), 0)
    clock_map = steering.update(estimate(SECOND, sign * error_ns), SECOND)
    assert clock_map.room_at(SECOND) == SECOND + sign * error_ns
    assert steering.steps == 1


def test_the_first_estimate_is_taken_as_it_is() -> None:
    steering = ClockSteering()
    assert steering.map is None
    assert steering.update(estimate(100, 5_000, 1e-4), 100).room_at(100) == 5_100
    assert steering.steps == 0


def test_a_shift_moves_the_clock_and_leaves_its_rate() -> None:
    steering = ClockSteering()
    steering.shift(7)
    before = steering.update(estimate(0, 0, 1e-4), 0)
    steering.shift(SECOND)
    assert steering.map is not None
    assert steering.map.room_at(SECOND) == before.room_at(SECOND) + SECOND


def test_an_estimate_that_may_be_off_as_far_itself_is_no_reason_to_step() -> None:
    steering = ClockSteering()
    steering.update(estimate(0, 0), 0)
    wild = estimate(SECOND, 8_000_000, error_bound_ns=12_000_000)
    assert steering.update(wild, SECOND).room_at(SECOND) == SECOND
    assert steering.steps == 0
