"""Two networks joined by nothing but a room: real players with `--link`, DAWs with Link."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from midipool_client.remote import status_in_words
from midipool_demo.background import Background
from midipool_demo.frame_times import FrameTimes
from midipool_demo.tick_meter import TickMeter
from tests.e2e.conftest import LONG_PERIOD, needs_jackd
from tests.e2e.listening import Daw, has
from tests.e2e.waiting import wait_until
from tests.netlab import why_unavailable

from .lans import Lan, LanStage, lan_stage
from .link_daw import LinkDaw, apart_us

pytestmark = [pytest.mark.netns, pytest.mark.jack, pytest.mark.idle]

HELD_US = 1000


@dataclass(frozen=True)
class Network:
    """What is on one network."""

    lan: Lan
    daw: LinkDaw
    client: Background
    meter: TickMeter


@pytest.fixture
def stage() -> Iterator[LanStage]:
    if reason := why_unavailable():
        pytest.skip(reason)
    needs_jackd()
    with lan_stage(period=LONG_PERIOD) as made:
        yield made


@pytest.fixture
def both(stage: LanStage) -> tuple[Network, Network]:
    """Two networks whose players have met the DAWs."""
    lans = stage.lan("a"), stage.lan("b")
    daws = [stage.open_daw(lan) for lan in lans]
    clients = [stage.bridge(lan) for lan in lans]
    meters = [stage.listen(lan) for lan in lans]
    for client, meter in zip(clients, meters, strict=True):
        client.wait_for_output("Ableton Link: 1 peer")
        meter.wait_until(lambda heard: heard.connected)
    a, b = (Network(*parts) for parts in zip(lans, daws, clients, meters, strict=True))
    wait_until(lambda: link_peers(stage) == [1, 1])
    return a, b


def link_peers(stage: LanStage) -> list[int | None]:
    members = stage.try_status().get("members", [])
    return [m["status"]["link_peers"] for m in members if m["status"]]


def agree(a: LinkDaw, b: LinkDaw, seconds: float) -> None:
    """Wait until two DAWs are in phase, and see that they stay so."""
    a.wait_until(lambda look: abs(apart_us(look, b.now)) < HELD_US)
    end_ns, worst_us = time.monotonic_ns() + seconds * 1e9, 0.0

    def ended(look: object) -> bool:
        nonlocal worst_us
        worst_us = max(worst_us, abs(apart_us(a.now, b.now)))
        return a.now.host_ns > end_ns

    a.wait_until(ended)
    assert worst_us < HELD_US


def has_tempo(daw: LinkDaw, bpm: float) -> None:
    daw.wait_until(lambda look: abs(look.bpm - bpm) < 0.03)


def wait_clocks(network: Network, count: int) -> list[tuple[int, int]]:
    """The next clocks at a network's MIDI port."""
    known = len(Daw().hear(network.meter.snapshot().events[0]).clocks)

    def clocks() -> list[tuple[int, int]]:
        return Daw().hear(network.meter.heard.events[0]).clocks[known:]

    network.meter.wait_until(lambda heard: len(clocks()) >= count)
    return clocks()


def port_has_tempo(network: Network, bpm: float) -> None:
    """The port's clocks come at a tempo, and on the beats of the DAW on that network."""
    network.daw.wait_until(lambda look: abs(look.bpm - bpm) < 0.03)
    heard_clocks = wait_clocks(network, 60)[12:]
    look, heard = network.daw.now, network.meter.snapshot()
    times = FrameTimes.fit(heard.cycles, network.meter.sample_rate)
    at_ns = times.at(np.array([frame for frame, _ in heard_clocks], dtype=np.int64))
    ticks = np.array([look.beats_at(int(ns)) * 24 for ns in at_ns])
    off_us = (ticks - np.round(ticks)) * 60e6 / look.bpm / 24
    assert float(np.median(np.diff(at_ns))) == pytest.approx(60e9 / bpm / 24, rel=1e-3)
    assert abs(float(np.median(off_us))) < HELD_US


def test_the_sessions_of_two_networks_are_one(
    stage: LanStage, both: tuple[Network, Network]
) -> None:
    a, b = both
    a.daw("start")
    for network in both:
        network.daw.wait_until(lambda look: look.playing)
        network.meter.wait_until(lambda heard: has(b"\xfa", heard.events[0]), 10)
    agree(a.daw, b.daw, 3)
    b.daw("tempo", 133)
    has_tempo(a.daw, 133)
    wait_until(lambda: stage.status()["bpm"] == 133)
    agree(a.daw, b.daw, 2)
    for network in both:
        port_has_tempo(network, 133)
    b.daw("stop")
    a.daw.wait_until(lambda look: not look.playing)
    for network in both:
        network.meter.wait_until(lambda heard: has(b"\xfc", heard.events[0]), 10)
    # Each DAW sees its own network's bridge and nobody else, and the room is told so.
    assert [network.daw.now.peers for network in both] == [1, 1]
    assert status_in_words(stage.status()).count(", 1 Link peer") == 2


def test_a_locked_room_puts_the_tempo_back(stage: LanStage, both: tuple[Network, Network]) -> None:
    a, b = both
    stage.conduct("tempo", "100")
    for network in both:
        has_tempo(network.daw, 100)
    stage.conduct("mode", "locked")
    wait_until(lambda: stage.status()["mode"] == "locked")
    known = len(b.daw.looks)
    a.daw("tempo", 140)
    has_tempo(a.daw, 140)
    a.client.wait_for_output("Ableton Link: the room refuses:")
    has_tempo(a.daw, 100)
    assert stage.status()["bpm"] == 100
    assert all(abs(look.bpm - 100) < 0.03 for look in b.daw.looks[known:])


def test_a_session_that_wins_gives_all_networks_its_tempo(stage: LanStage) -> None:
    first, second = stage.lan("a"), stage.lan("b")
    here = stage.open_daw(first, 97.5)
    stage.bridge(first).wait_for_output("Ableton Link: 1 peer")
    wait_until(lambda: stage.try_status().get("bpm") == 97.5)
    there = stage.open_daw(second, 131)
    stage.bridge(second, "session-wins").wait_for_output("Ableton Link: 1 peer")
    has_tempo(here, 131)
    wait_until(lambda: stage.status()["bpm"] == 131)
    assert all(abs(look.bpm - 131) < 0.03 for look in there.looks)
