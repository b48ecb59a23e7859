"""Link's own test plan, with the bridge as the app under test and its room as the app's song."""

from dataclasses import replace

import pytest

from midipool.messages import SetTempo, Start, Stop
from midipool_client.link.session import LinkSession
from tests.netlab import Host

from .peers import LibraryApp, OtherApp, founded
from .room import App, LiveRoom, for_a_while, until

pytestmark = [pytest.mark.netns, pytest.mark.jack, pytest.mark.idle]

TOLERANCE_US = 3000
Network = tuple[Host, Host]


def near(a: float, b: float) -> bool:
    return a == pytest.approx(b, abs=0.03)


def settled(room: LiveRoom) -> bool:
    return room.chain.last == room.timeline


async def in_sync(room: LiveRoom, looker: LinkSession, seconds: float = 1.5) -> bool:
    """Whether the DAW's host has the room's tempo and bars for a while, once they have settled."""
    await until(lambda: settled(room) and near(looker.snapshot().beat_us * room.bpm / 5e5, 120))
    await until(lambda: abs(room.off_us(looker.snapshot())) < TOLERANCE_US)
    worst = 0.0
    async for _ in for_a_while(seconds):
        worst = max(worst, abs(room.off_us(looker.snapshot())))
    return worst < TOLERANCE_US


async def test_tempo_1_tempo_changes_are_transmitted(
    network: Network, other: OtherApp, looker: LinkSession
) -> None:
    await other.play(True)
    await other.enable()
    room = LiveRoom()
    async with App(network[0], room) as app:
        await until(lambda: app.runner.peers == 2)
        await until(lambda: app.bridge.met)
        room.conduct(SetTempo(id=1, bpm=126))
        await until(lambda: near(other.shown().bpm, 126))
        room.conduct(Start(id=2))
        await until(lambda: room.timeline.playing)
        assert await in_sync(room, looker)
        await other.set_tempo(129)
        await until(lambda: room.bpm == 129)
        assert await in_sync(room, looker)
        room.conduct(SetTempo(id=3, bpm=141.5))
        await until(lambda: near(other.shown().bpm, 141.5))
        assert await in_sync(room, looker)


async def test_tempo_2_joining_does_not_change_a_sessions_tempo(
    network: Network, other: OtherApp
) -> None:
    alone = LiveRoom()
    async with App(network[0], alone):
        alone.conduct(SetTempo(id=1, bpm=100))
        await until(lambda: alone.bpm == 100)
    await other.play(True)
    await other.enable()
    await other.set_tempo(130)
    room = LiveRoom()
    async with App(network[0], room) as app:
        await until(lambda: room.bpm == 130)
        assert app.runner.peers == 1
        async for _ in for_a_while(1):
            assert near(other.shown().bpm, 130)
        assert other.shown().peers == 1


async def test_tempo_2_a_session_that_wins_keeps_its_tempo_in_a_room_that_has_another(
    network: Network, other: OtherApp
) -> None:
    await other.enable()
    await other.set_tempo(130)
    room = LiveRoom()
    room.conduct(SetTempo(id=1, bpm=100))
    async with App(network[0], room, "session-wins"):
        await until(lambda: room.bpm == 130)
        async for _ in for_a_while(1):
            assert near(other.shown().bpm, 130)


async def test_tempo_3_another_song_does_not_change_the_sessions_tempo(
    network: Network, other: OtherApp
) -> None:
    await other.enable()
    await other.set_tempo(130)
    async with App(network[0], LiveRoom()) as app:
        await until(lambda: app.room.bpm == 130)
    await until(lambda: other.shown().peers == 0)
    await founded()
    song = LiveRoom()
    async with App(network[0], song):
        await until(lambda: song.bpm == 130)
        assert near(other.shown().bpm, 130)


async def test_tempo_4_the_ends_of_the_range_stay_in_sync(
    network: Network, looker: LinkSession
) -> None:
    daw, room = LibraryApp(network[1]), LiveRoom()
    await daw.enable()
    room.conduct(Start(id=1))
    async with App(network[0], room) as app:
        await until(lambda: app.bridge.met)
        for bpm in (20, 999):
            await daw.set_tempo(bpm)
            await until(lambda bpm=bpm: room.bpm == bpm)  # type: ignore[misc]
            assert await in_sync(room, looker)
    daw.close()


async def test_tempo_5_and_beattime_1_alone_link_changes_nothing(network: Network) -> None:
    room = LiveRoom()
    room.conduct(SetTempo(id=1, bpm=98.5))
    room.conduct(Start(id=2))
    await until(lambda: settled(room))
    before = room.timeline
    async with App(network[0], room) as app:
        await until(lambda: near(app.session.snapshot().beat_us * 98.5 / 5e5, 120))
        assert room.timeline == before
        room.conduct(SetTempo(id=3, bpm=77))
        await until(lambda: settled(room))
        after = room.timeline
    assert room.timeline == after
    assert room.asked == []


async def test_beattime_2_another_participant_does_not_move_our_beats(
    network: Network, other: OtherApp
) -> None:
    room = LiveRoom()
    room.conduct(Start(id=2))
    async with App(network[0], room) as app:
        await until(lambda: app.session.snapshot().playing)
        before, timeline = app.session.snapshot(), room.timeline
        await other.enable()
        await until(lambda: app.runner.peers == 1)
        async for _ in for_a_while(2):
            now = app.session.snapshot()
            off_us = (now.beats - before.beats_at(now.host_ns)) * now.beat_us / 1e6
            assert abs(off_us) < TOLERANCE_US
        assert room.timeline == timeline
        assert room.asked == []


async def test_startstopstate_1_listens_to_start_and_stop(
    network: Network, other: OtherApp, looker: LinkSession
) -> None:
    room = LiveRoom()
    async with App(network[0], room) as app:
        await other.enable()
        await until(lambda: app.runner.peers == 2)
        await until(lambda: app.bridge.met)
        bars = looker.snapshot()
        await other.play(True)
        await until(lambda: room.timeline.playing)
        now_ns = app.session.snapshot().host_ns
        still = replace(bars, host_ns=now_ns, beats=round(bars.beats_at(now_ns)))
        assert abs(room.off_us(still)) < TOLERANCE_US, "not on its bars"
        assert await in_sync(room, looker)
        await other.play(False)
        await until(lambda: not room.timeline.playing)


async def test_startstopstate_2_sends_start_and_stop(
    network: Network, other: OtherApp, looker: LinkSession
) -> None:
    await other.enable()
    await other.play(True)
    room = LiveRoom()
    room.conduct(SetTempo(id=1, bpm=125))
    async with App(network[0], room) as app:
        await until(lambda: app.bridge.met)
        async for _ in for_a_while(1):
            assert not room.timeline.playing
            assert other.shown().playing
        room.conduct(Start(id=2))
        await until(lambda: room.timeline.playing)
        assert await in_sync(room, looker)
        assert other.shown().playing
        room.conduct(Stop(id=3))
        await until(lambda: not other.shown().playing)
        room.conduct(Start(id=4))
        await until(lambda: other.shown().playing)
        assert await in_sync(room, looker)
        assert not [c for c in room.asked if isinstance(c, Start | Stop)]
