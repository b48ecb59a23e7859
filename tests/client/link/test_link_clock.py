"""Link's clock against the host's."""

from hypothesis import given
from hypothesis import strategies as st

from midipool_client.link.link_clock import LinkClock

SECOND = 1_000_000_000


def fed(ppm: float, offset_us: int, seconds: int) -> LinkClock:
    clock = LinkClock(0, offset_us)
    for n in range(1, seconds * 10 + 1):
        host_ns = n * SECOND // 10
        clock.add(host_ns, offset_us + round(host_ns / 1000 * (1 + ppm * 1e-6)))
    return clock


@given(ppm=st.floats(-500, 500), offset_us=st.integers(-(10**12), 10**12))
def test_the_drift_between_the_clocks_is_found(ppm: float, offset_us: int) -> None:
    clock = fed(ppm, offset_us, 20)
    assert abs((clock.rate - 1) * 1e6 - ppm) < 0.2
    later_ns = 22 * SECOND
    due_us = offset_us + later_ns / 1000 * (1 + ppm * 1e-6)
    assert abs(clock.link_us(later_ns) - due_us) < 3


@given(host_ns=st.integers(-(10**13), 10**13), ppm=st.floats(-500, 500))
def test_there_and_back_is_the_same_microsecond(host_ns: int, ppm: float) -> None:
    clock = fed(ppm, 123_456, 5)
    assert abs(clock.host_ns(clock.link_us(host_ns)) - host_ns) <= 1100


def test_a_jump_of_a_clock_is_no_drift() -> None:
    clock = fed(0, 0, 10)
    clock.add(11 * SECOND, 71_000_000)
    assert abs(clock.rate - 1) < 1e-5
    assert clock.link_us(12 * SECOND) == 72_000_000
    clock.add(12 * SECOND, 72_000_000)
    assert clock.rate == 1
