"""Two networks with Link sessions of their own, in one room."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from midipool.messages import SetMeter, SetTempo, Start
from midipool.meter import Meter
from midipool_client.link.runner import bridge_link
from midipool_client.link.session import LinkSession
from midipool_native import host_clock
from tests.netlab import Host
from tests.netlab.namespaces import entered

from .peers import LibraryApp
from .room import App, LiveRoom, Member, for_a_while, session_on, until

pytestmark = [pytest.mark.netns, pytest.mark.idle]

HELD_US = 1000


def apart_us(a: LinkSession, b: LinkSession, bar_beats: int) -> float:
    """How far apart the bars of two networks are: both DAWs are on one machine's clock."""
    here, there = a.snapshot(), b.snapshot()
    off = here.beats_at(there.host_ns) - there.beats
    return ((off + bar_beats / 2) % bar_beats - bar_beats / 2) * there.beat_us / 1e6


@pytest.mark.parametrize("meter", [Meter(4, 4), Meter(7, 8)], ids=str)
async def test_they_are_in_phase_with_each_other(
    networks: Callable[[], tuple[Host, Host]], meter: Meter
) -> None:
    room = LiveRoom(ppm=150)
    room.conduct(SetTempo(id=1, bpm=133.7))
    room.conduct(SetMeter(id=2, meter=meter))
    room.conduct(Start(id=3))
    first, second = networks(), networks()
    with session_on(first[1]) as here, session_on(second[1]) as there:
        async with App(first[0], room) as a, App(second[0], room) as b:
            await until(lambda: a.bridge.met and b.bridge.met)
            # Not with each other: that they are by chance, too, where they began together.
            await until(
                lambda: all(abs(room.off_us(s.snapshot())) < HELD_US for s in (here, there))
            )
            assert here.snapshot().peers == there.snapshot().peers == 1
            worst = 0.0
            async for _ in for_a_while(8):
                worst = max(worst, abs(apart_us(here, there, meter.bar_beats)))
            assert worst < HELD_US


async def test_what_a_daw_does_is_heard_in_the_other_network(
    networks: Callable[[], tuple[Host, Host]],
) -> None:
    room = LiveRoom(ppm=-80)
    first, second = networks(), networks()
    drums, bass = LibraryApp(first[1]), LibraryApp(second[1])
    async with App(first[0], room) as a, App(second[0], room) as b:
        for daw in (drums, bass):
            await daw.enable()
        await until(lambda: a.bridge.met and b.bridge.met)
        await drums.set_tempo(101.25)
        await until(lambda: abs(bass.shown().bpm - 101.25) < 0.03)
        await bass.play(True)
        await until(lambda: drums.shown().playing)
        await until(lambda: room.timeline.playing)
        await until(lambda: abs(room.off_us(a.session.snapshot())) < HELD_US)
        await until(lambda: abs(room.off_us(b.session.snapshot())) < HELD_US)
        await drums.play(False)
        await until(lambda: not bass.shown().playing)
    assert len(room.asked) == 3
    drums.close()
    bass.close()


async def test_a_daw_that_sends_a_hundred_tempi_a_second_ends_on_the_last(
    network: tuple[Host, Host],
) -> None:
    room = LiveRoom()
    daw = LibraryApp(network[1])
    await daw.enable()
    async with App(network[0], room) as app:
        await until(lambda: app.bridge.met)
        asked = len(room.asked)
        number = 0
        async for _ in for_a_while(2):
            number += 1
            daw.tempo(20 + number * 37 % 979)
        daw.tempo(111.5)
        await until(lambda: room.bpm == 111.5)
        assert len(room.asked) - asked <= 10
        async for _ in for_a_while(1):
            assert abs(daw.shown().bpm - 111.5) < 0.03
    daw.close()


async def test_a_host_clock_of_its_own_is_no_obstacle(
    network: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(host_clock.TEST_CLOCK, "12345678,400")
    host_clock.set_off_for_tests()
    try:
        room = LiveRoom(ppm=-200)
        room.conduct(Start(id=1))
        with session_on(network[1]) as daw:
            async with App(network[0], room) as app:
                await until(lambda: app.bridge.met)
                await until(lambda: abs(room.off_us(daw.snapshot())) < HELD_US)
                async for _ in for_a_while(5):
                    assert abs(room.off_us(daw.snapshot())) < HELD_US
    finally:
        monkeypatch.setenv(host_clock.TEST_CLOCK, "0,0")
        host_clock.set_off_for_tests()


async def test_leaving_the_room_leaves_the_session(network: tuple[Host, Host]) -> None:
    daw = LibraryApp(network[1])
    await daw.enable()
    with entered(network[0].name):
        part = bridge_link(Member(LiveRoom()), "room-wins")
    task = asyncio.create_task(part)
    await until(lambda: daw.shown().peers == 1)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await until(lambda: daw.shown().peers == 0)
    daw.close()
