from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.clock_map import ClockMap
from midipool_native._rt import lib
from midipool_native.spooler import c_clock_map

SECOND_NS = 1_000_000_000
MONTH_NS = 30 * 86_400 * SECOND_NS

thorough = settings(max_examples=500, deadline=None)


@st.composite
def maps(draw: st.DrawFn) -> ClockMap:
    local_ns = draw(st.integers(-SECOND_NS, MONTH_NS))
    return ClockMap(
        local_ns=local_ns,
        room_ns=draw(st.integers(-MONTH_NS, MONTH_NS)),
        slew=draw(st.floats(-3e-3, 3e-3)),
        slew_end_ns=local_ns + draw(st.integers(-SECOND_NS, 10 * SECOND_NS)),
        drift=draw(st.floats(-1e-3, 1e-3)),
    )


offsets = st.integers(-10 * SECOND_NS, 86_400 * SECOND_NS)


@thorough
@given(maps(), offsets)
def test_c_and_python_see_the_same_room_time(clock_map: ClockMap, ahead_ns: int) -> None:
    local_ns = clock_map.local_ns + ahead_ns
    seen_by_c = lib.mp_room_at_ns(c_clock_map(clock_map), local_ns)
    assert abs(seen_by_c - clock_map.room_at(local_ns)) <= 1


@thorough
@given(maps(), offsets)
def test_c_and_python_see_the_same_host_time(clock_map: ClockMap, ahead_ns: int) -> None:
    room_ns = clock_map.room_ns + ahead_ns
    seen_by_c = lib.mp_local_at_ns(c_clock_map(clock_map), room_ns)
    assert abs(seen_by_c - clock_map.local_at(room_ns)) <= 1


@thorough
@given(maps(), offsets)
def test_they_agree_where_the_two_lines_meet(clock_map: ClockMap, ahead_ns: int) -> None:
    for off_ns in (-1, 0, 1, ahead_ns % 1000):
        local_ns = clock_map.slew_end_ns + off_ns
        room_ns = clock_map.room_at(local_ns)
        c_map = c_clock_map(clock_map)
        assert abs(lib.mp_room_at_ns(c_map, local_ns) - room_ns) <= 1
        assert abs(lib.mp_local_at_ns(c_map, room_ns) - clock_map.local_at(room_ns)) <= 1
