"""The impaired link, with real packets; compared by counts that a busy machine keeps."""

import itertools
import os
import signal
import statistics

import pytest

from . import Host, Impairment, Lab, TunLink
from .direction import QUEUE_PACKETS
from .udp_flow import Arrival, UdpFlow

pytestmark = [pytest.mark.netns, pytest.mark.idle]

EARLY_US = 100  # the kernel's stamps are wall-clock time, which may be slewed


def linked(lab: Lab, there: Impairment, back: Impairment | None = None) -> tuple[Host, Host]:
    server, a = lab.host("server"), lab.host("a")
    lab.tun_link(a, server, there, back)
    return a, server


def within(arrivals: list[Arrival], low_ms: float, high_ms: float) -> float:
    """Share of datagrams whose delay is in a range."""
    low_us, high_us = low_ms * 1000 - EARLY_US, high_ms * 1000
    return sum(low_us <= arrival.delay_us <= high_us for arrival in arrivals) / len(arrivals)


def all_through(flow: UdpFlow, link: TunLink, sent: int) -> bool:
    """Wait until the link has seen `sent` packets and holds none."""

    def is_done() -> bool:
        there, _ = link.counts()
        return there.sent >= sent and there.waiting == 0

    return flow.receive_until(is_done)


def test_delay_is_that_of_each_direction(lab: Lab) -> None:
    a, server = linked(lab, Impairment(delay_ms=40), Impairment(delay_ms=15))
    there = UdpFlow(a, server).exchange(150, interval_us=2_000)
    back = UdpFlow(server, a).exchange(150, interval_us=2_000)
    assert within(there, 40, 1_000) == 1
    assert within(back, 15, 1_000) == 1
    assert within(there, 40, 42) > 0.5
    assert within(back, 15, 17) > 0.5


def test_an_unimpaired_link_adds_little(lab: Lab) -> None:
    a, server = linked(lab, Impairment())
    assert within(UdpFlow(a, server).exchange(150, interval_us=1_000), 0, 1) > 0.5


def test_jitter_spreads_delays_over_its_range(lab: Lab) -> None:
    a, server = linked(lab, Impairment(delay_ms=20, jitter_ms=10, reorder=True))
    arrivals = UdpFlow(a, server).exchange(400, interval_us=1_000)
    assert within(arrivals, 10, 1_000) == 1
    assert 0.3 < within(arrivals, 10, 20) < 0.7
    assert 0.3 < within(arrivals, 20, 32) < 0.7


@pytest.mark.parametrize("burst_loss_length", [1, 5])
def test_loss_rate(lab: Lab, burst_loss_length: int) -> None:
    server, a = lab.host("server"), lab.host("a")
    lossy = Impairment(loss=0.1, burst_loss_length=burst_loss_length)
    link = lab.tun_link(a, server, lossy)
    flow = UdpFlow(a, server)
    flow.send(5_000)
    assert all_through(flow, link, 5_000)
    there, back = link.counts()
    assert there.lost + len(flow.arrivals) == 5_000
    assert there.overflowed == back.sent == 0
    # 500 lost in 500 / length bursts; four standard errors.
    assert there.lost == pytest.approx(500, abs=4 * (2 * 500 * burst_loss_length) ** 0.5)
    numbers = [-1, *(arrival.number for arrival in flow.arrivals), 5_000]
    gaps = [high - low - 1 for low, high in itertools.pairwise(numbers) if high - low > 1]
    assert statistics.mean(gaps) == pytest.approx(max(1.11, burst_loss_length), rel=0.4)


@pytest.mark.parametrize("reorder", [False, True])
def test_order_is_kept_unless_reordering(lab: Lab, reorder: bool) -> None:
    a, server = linked(lab, Impairment(delay_ms=10, jitter_ms=5, reorder=reorder))
    numbers = [arrival.number for arrival in UdpFlow(a, server).exchange(1_000, interval_us=200)]
    assert sorted(numbers) == list(range(1_000))
    assert (numbers == sorted(numbers)) is not reorder


def test_duplicates_arrive_twice(lab: Lab) -> None:
    a, server = linked(lab, Impairment(duplicate=1))
    flow = UdpFlow(a, server)
    flow.send(10)
    assert flow.receive_until(lambda: len(flow.arrivals) == 20)


def test_the_impairment_changes_while_packets_flow(lab: Lab) -> None:
    server, a = lab.host("server"), lab.host("a")
    link = lab.tun_link(a, server, Impairment())
    flow = UdpFlow(a, server)
    quick = flow.exchange(50, interval_us=1_000)
    link.impair(Impairment(delay_ms=30), Impairment())
    slow = flow.exchange(50, interval_us=1_000)
    assert within(slow, 30, 1_000) == 1
    assert within(quick, 0, 25) > 0.5
    assert within(UdpFlow(server, a).exchange(50, interval_us=1_000), 0, 25) > 0.5


def test_a_pulled_cable_carries_nothing_until_plugged_in(lab: Lab) -> None:
    server, a = lab.host("server"), lab.host("a")
    link = lab.tun_link(a, server, Impairment(delay_ms=50))
    flow = UdpFlow(a, server)
    flow.send(10)  # still on their way when it is pulled
    assert flow.receive_until(lambda: link.counts()[0].sent == 10)
    link.down()
    flow.send(10)
    assert flow.receive_until(lambda: "NO-CARRIER" in a.ip("link"))  # up to 1 s: rate-limited
    assert flow.receive_until(lambda: bool(flow.arrivals), within_s=0.15) is False
    link.up()
    flow.exchange(10)
    assert {arrival.number for arrival in flow.arrivals} == set(range(20, 30))


def test_a_flood_beyond_the_queue_is_dropped(lab: Lab) -> None:
    server, a = lab.host("server"), lab.host("a")
    link = lab.tun_link(a, server, Impairment(delay_ms=60_000))
    flow = UdpFlow(a, server)
    while (there := link.counts()[0]).overflowed == 0 and there.sent < 3 * QUEUE_PACKETS:
        flow.send(500)
    assert there.waiting == QUEUE_PACKETS
    assert there.sent == there.waiting + there.overflowed


def test_impossible_settings_leave_the_link_as_it_is(lab: Lab) -> None:
    a, server = linked(lab, Impairment())
    with pytest.raises(ValueError, match="loss"):
        Impairment(loss=2)
    UdpFlow(a, server).exchange(1)


def test_a_dead_forwarder_is_noticed(lab: Lab) -> None:
    server, a = lab.host("server"), lab.host("a")
    link = lab.tun_link(a, server, Impairment())
    os.kill(link.pid, signal.SIGTERM)
    with pytest.raises((RuntimeError, BrokenPipeError)):
        link.counts()
