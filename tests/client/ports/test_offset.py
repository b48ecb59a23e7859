"""A port that is trimmed while it plays."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.clock_map import ClockMap
from midipool_client.ports.offset import MAX_RATE, PortOffset

MS, SECOND = 1_000_000, 1_000_000_000
ROOM = ClockMap(local_ns=0, room_ns=10 * SECOND, slew=1e-4, slew_end_ns=SECOND, drift=5e-5)
offsets_us = st.floats(-1_000_000, 1_000_000)


def test_a_positive_offset_comes_later() -> None:
    map = PortOffset(20_000.0).map(ROOM, 0)
    assert map.local_at(12 * SECOND) == pytest.approx(ROOM.local_at(12 * SECOND) + 20 * MS, abs=5e3)


def test_at_once_is_at_once() -> None:
    offset = PortOffset()
    offset.set(-5_000.0, SECOND, at_once=True)
    assert offset.map(ROOM, SECOND).room_at(SECOND) == ROOM.room_at(SECOND) + 5 * MS


@given(offsets_us, offsets_us, offsets_us)
def test_a_trim_arrives_without_a_jump_and_never_faster_than_the_limit(
    first_us: float, second_us: float, third_us: float
) -> None:
    offset = PortOffset(first_us)
    offset.set(second_us, SECOND)
    shown: list[int] = []
    map = offset.map(ROOM, SECOND)
    for now_ns in range(SECOND, 60 * SECOND, 50 * MS):
        if now_ns == 3 * SECOND:
            offset.set(third_us, now_ns)
        # The room's clock changes now and then, and asks for a new map each time.
        if offset.moving(now_ns) or now_ns % SECOND == 0:
            map = offset.map(ROOM, now_ns)
        shown.append(map.room_at(now_ns))
    for a, b in itertools.pairwise(shown):
        assert abs(b - a - 50 * MS) <= 50 * MS * (MAX_RATE + 2e-4) + 10
    assert abs(shown[-1] - (ROOM.room_at(60 * SECOND - 50 * MS) - third_us * 1000)) < 10


@given(offsets_us, offsets_us)
def test_a_map_alone_leads_to_where_the_offset_arrives(first_us: float, last_us: float) -> None:
    offset = PortOffset(first_us)
    offset.set(last_us, 5 * SECOND)
    map = offset.map(ROOM, 5 * SECOND)
    end_ns = 60 * SECOND
    assert abs(map.room_at(end_ns) - (ROOM.room_at(end_ns) - last_us * 1000)) < 2_000
