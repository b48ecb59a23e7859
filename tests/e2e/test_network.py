"""Players on hosts of their own, over links that fail."""

from collections.abc import Iterator

import numpy as np
import pytest

from midipool_demo.frame_times import FrameTimes
from midipool_demo.ticks import Ticks, match
from tests.bench.netstage import NetPlayer, NetStage, net_stage
from tests.e2e.conftest import LONG_PERIOD, needs_jackd
from tests.e2e.listening import Daw, clocks
from tests.e2e.waiting import wait_until
from tests.netlab import Impairment, why_unavailable

pytestmark = [pytest.mark.jack, pytest.mark.netns, pytest.mark.idle, pytest.mark.timeout(120)]


@pytest.fixture(params=["plain", "wild"])
def stage(request: pytest.FixtureRequest) -> Iterator[NetStage]:
    if reason := why_unavailable():
        pytest.skip(reason)
    needs_jackd()
    wild = Impairment(delay_ms=40, jitter_ms=10, loss=0.02, reorder=True, seed=2)
    with net_stage(wild if request.param == "wild" else None, LONG_PERIOD) as made:
        made.start_server()
        a, b = made.prepare("a"), made.prepare("b")
        made.join("a", *a)
        made.join("b", *b, skew_ppm=100.0)
        for player in made.players:
            player.meter.wait_until(lambda heard: heard.connected)
        wait_until(lambda: len(connected(made)) == 2, 30)
        yield made


def connected(stage: NetStage) -> list[str]:
    """Members whose clock is known and whose connection stands."""
    members = stage.try_status().get("members", [])
    return [m["name"] for m in members if m["connected"] and m["status"]]


def wait_more_clocks(player: NetPlayer, count: int) -> None:
    before = clocks(player.meter.snapshot().events[0])
    player.meter.wait_until(lambda heard: clocks(heard.events[0]) >= before + count, 30)


def ticks(stage: NetStage, player: NetPlayer) -> Ticks:
    heard = player.meter.snapshot()
    times = FrameTimes.fit(heard.cycles, player.meter.sample_rate)
    return match(heard.events[0], times, stage.timeline(), 0)


def test_a_pulled_cable_is_not_heard(stage: NetStage) -> None:
    first, second = stage.players
    stage.conduct("start")
    for player in stage.players:
        wait_more_clocks(player, 96)
    second.link.down()
    wait_until(lambda: connected(stage) == ["a"], 30)
    wait_more_clocks(second, 48)
    second.link.up()
    wait_until(lambda: len(connected(stage)) == 2, 30)
    wait_more_clocks(second, 96)
    a, b = ticks(stage, first), ticks(stage, second)
    assert (a.missing, b.missing) == (0, 0)
    assert Daw().hear(second.meter.snapshot().events[0]).log == ["F2 0", "FA"]
    # After minutes of practice the figure is 0.1 to 1 ms; a jump would be a tick, 20 ms.
    _, here, there = np.intersect1d(a.numbers, b.numbers, return_indices=True)
    apart_us = np.abs(a.late_us[here] - b.late_us[there])
    assert float(np.median(apart_us[-96:])) < 3000
