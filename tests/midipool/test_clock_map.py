"""Two straight lines that meet."""

from hypothesis import given
from hypothesis import strategies as st

from midipool.clock_map import ClockMap

SECOND = 1_000_000_000
rates = st.floats(-3e-3, 3e-3)


@st.composite
def maps(draw: st.DrawFn) -> ClockMap:
    local_ns = draw(st.integers(0, 10**15))
    return ClockMap(
        local_ns=local_ns,
        room_ns=draw(st.integers(-(10**15), 10**15)),
        slew=draw(rates),
        slew_end_ns=local_ns + draw(st.integers(-SECOND, 5 * SECOND)),
        drift=draw(rates),
    )


elapsed = st.integers(-10 * SECOND, 1_000 * SECOND)


@given(maps(), elapsed)
def test_there_and_back_is_within_a_nanosecond(clock_map: ClockMap, elapsed_ns: int) -> None:
    local_ns = clock_map.local_ns + elapsed_ns
    assert abs(clock_map.local_at(clock_map.room_at(local_ns)) - local_ns) <= 1


@given(maps(), elapsed)
def test_back_and_there_is_within_a_nanosecond(clock_map: ClockMap, elapsed_ns: int) -> None:
    room_ns = clock_map.room_ns + elapsed_ns
    assert abs(clock_map.room_at(clock_map.local_at(room_ns)) - room_ns) <= 1


@given(maps(), st.integers(0, 1_000_000))
def test_it_is_continuous_where_the_slew_ends(clock_map: ClockMap, step_ns: int) -> None:
    before = clock_map.room_at(clock_map.slew_end_ns - step_ns)
    after = clock_map.room_at(clock_map.slew_end_ns + step_ns)
    assert abs(after - before - 2 * step_ns) <= 2 * step_ns * 3e-3 + 2


@given(maps(), elapsed, st.integers(0, SECOND))
def test_time_never_goes_back(clock_map: ClockMap, elapsed_ns: int, step_ns: int) -> None:
    local_ns = clock_map.local_ns + elapsed_ns
    assert clock_map.room_at(local_ns + step_ns) >= clock_map.room_at(local_ns)


def test_it_slews_for_a_while_and_then_drifts() -> None:
    clock_map = ClockMap(1_000, 5_000, slew=1e-3, slew_end_ns=SECOND + 1_000, drift=-1e-4)
    at = [clock_map.room_at(1_000 + n * SECOND) - n * SECOND - 5_000 for n in range(3)]
    assert at == [0, 1_000_000, 900_000]
