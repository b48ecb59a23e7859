import math
import threading
from collections.abc import Iterator

import pytest

from midipool.clock_map import ClockMap
from midipool.errors import InvalidValue
from midipool_native import checks, host_clock
from midipool_native.checks import NativeError
from midipool_native.spooler import DISCARD_ALL_US, Spooler

ROOM_IS_HOST = ClockMap(local_ns=0, room_ns=0)
INBOX = 1 << 15
TICK = b"\xf8"
LONG_NS = 20_000_000_000


@pytest.fixture
def spooler() -> Spooler:
    made = Spooler()
    made.submit(clock_map=ROOM_IS_HOST)
    return made


def now_us() -> int:
    return host_clock.now_ns() // 1000


def taken(spooler: Spooler) -> list[bytes]:
    """All that is due now."""
    return list(iter(lambda: spooler.wait_next(0) or b"", b""))


def queued(spooler: Spooler) -> int:
    """What waits after the sink has looked."""
    assert taken(spooler) == []
    return spooler.stats().queued


def test_events_come_in_order_and_never_early(spooler: Spooler) -> None:
    begin_us = now_us()
    data = [bytes((0xC0, number)) for number in range(100)]
    spooler.submit((begin_us + number * 100, event) for number, event in enumerate(data))
    for number, event in enumerate(data):
        assert spooler.wait_next(LONG_NS) == event
        assert host_clock.now_ns() >= (begin_us + number * 100) * 1000
    stats = spooler.stats()
    assert (stats.events, stats.ticks, stats.dropped, stats.queued) == (100, 0, 0, 0)


def test_events_have_one_to_256_bytes(spooler: Spooler) -> None:
    data = [TICK, b"\xc0\x01", b"\xf2\x01\x02", b"\xf0" + bytes(254) + b"\xf7"]
    spooler.submit((1, event) for event in data)
    assert taken(spooler) == data
    assert spooler.stats().ticks == 1


def test_nothing_is_due_without_a_map() -> None:
    spooler = Spooler()
    spooler.submit([(1, TICK)])
    assert spooler.wait_next(1_000_000) is None
    assert spooler.stats().queued == 1


def test_discarding_and_new_events_go_together(spooler: Spooler) -> None:
    later_us = now_us() + 3_600_000_000
    spooler.submit([(1, b"\xc0\x01"), (2, b"\xc0\x02"), (later_us, TICK)])
    spooler.submit([(3, b"\xc0\x03")], discard_from_us=2)
    assert taken(spooler) == [b"\xc0\x01", b"\xc0\x03"]
    spooler.submit([(later_us, TICK)])
    assert queued(spooler) == 1
    spooler.submit(discard_from_us=DISCARD_ALL_US)
    assert queued(spooler) == 0


def test_a_map_moves_what_is_queued(spooler: Spooler) -> None:
    hour_ns = 3_600_000_000_000
    spooler.submit([(now_us() + hour_ns // 1000 // 2, TICK)])
    assert queued(spooler) == 1
    spooler.submit(clock_map=ClockMap(local_ns=0, room_ns=hour_ns))
    assert taken(spooler) == [TICK]
    stats = spooler.stats()
    assert stats.late == 1
    assert stats.max_late_ns == pytest.approx(hour_ns / 2, rel=0.1)
    assert spooler.stats().max_late_ns == 0


def test_it_knows_whether_the_device_runs(spooler: Spooler) -> None:
    for data, running in ((b"\xfa", True), (TICK, True), (b"\xfc", False), (b"\xfb", True)):
        spooler.submit([(1, data)])
        assert taken(spooler) == [data]
        assert spooler.stats().running is running


# ---- all or nothing ----


def breaks_off() -> Iterator[tuple[int, bytes]]:
    yield 1, TICK
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ((1, b""), InvalidValue),
        ((1, bytes(257)), InvalidValue),
        ((2**62, TICK), NativeError),
        ((-(2**62), TICK), NativeError),
        ((2**63, TICK), NativeError),
        ((2**80, TICK), NativeError),
    ],
)
def test_a_bad_event_spoils_its_whole_batch(
    spooler: Spooler, event: tuple[int, bytes], error: type[Exception]
) -> None:
    later_us = now_us() + 3_600_000_000
    spooler.submit([(later_us, TICK)])
    for place in range(3):
        events = [(1, TICK), (2, TICK)]
        events.insert(place, event)
        with pytest.raises(error):
            spooler.submit(events, discard_from_us=DISCARD_ALL_US, clock_map=ROOM_IS_HOST)
    assert queued(spooler) == 1
    spooler.submit([(1, b"\xfa")], discard_from_us=DISCARD_ALL_US)
    assert taken(spooler) == [b"\xfa"]


def test_so_does_a_source_that_breaks_off(spooler: Spooler) -> None:
    with pytest.raises(KeyboardInterrupt):
        spooler.submit(breaks_off())
    assert queued(spooler) == 0


@pytest.mark.parametrize(
    "bad",
    [
        ClockMap(2**61, 0),
        ClockMap(0, -(2**61)),
        ClockMap(0, 2**70),
        ClockMap(0, 0, slew_end_ns=2**62),
        ClockMap(0, 0, slew=math.nan),
        ClockMap(0, 0, slew=-1.0),
        ClockMap(0, 0, drift=math.inf),
    ],
)
def test_a_map_that_no_clock_has_is_refused(spooler: Spooler, bad: ClockMap) -> None:
    with pytest.raises(NativeError) as caught:
        spooler.submit([(1, TICK)], clock_map=bad)
    assert caught.value.status == checks.OUT_OF_RANGE
    assert queued(spooler) == 0


def test_a_batch_that_does_not_fit_is_refused_as_a_whole() -> None:
    spooler = Spooler()
    spooler.submit([(1, b"\xfa")])
    with pytest.raises(NativeError) as caught:
        spooler.submit([(2, TICK)] * INBOX, clock_map=ROOM_IS_HOST)
    assert caught.value.status == checks.FULL
    assert "full" in str(caught.value)
    spooler.submit([(3, b"\xfc")], clock_map=ROOM_IS_HOST)
    assert taken(spooler) == [b"\xfa", b"\xfc"]


# ---- threads ----


def test_waiting_lets_other_threads_run(spooler: Spooler) -> None:
    got: list[bytes | None] = []
    sink = threading.Thread(target=lambda: got.append(spooler.wait_next(LONG_NS)))
    sink.start()
    began_ns = host_clock.now_ns()
    spooler.submit([(now_us(), TICK)])
    sink.join()
    assert got == [TICK]
    assert host_clock.now_ns() - began_ns < LONG_NS // 2
