"""A DAW that leads the room through its port."""

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import pytest

from midipool_demo.frame_times import FrameTimes
from midipool_demo.stage import Player, Stage
from midipool_demo.tick_meter import Heard, TickMeter
from tests.e2e.echoing_daw import echoing_daw
from tests.e2e.leading_daw import LeadingDaw
from tests.e2e.listening import Daw, clocks
from tests.e2e.member import Member, daws
from tests.e2e.timelines import newest_timeline
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.jack, pytest.mark.idle]
ON_IT_US = 1_000.0
COMPARED_TICKS = 48
# Ticks that a client needs to see a clock's tempo, and to tell an echo.
JUDGED_TICKS = 96
ANSWER_FRAMES = 30_000
TICK_FRAMES = 1000  # at 120 BPM
MMC_PLAY, MMC_STOP = "f07f7f0602f7", "f07f7f0601f7"
MMC_LOCATE_8_S = "f07f7f06440601200008" + "0000f7"
ECHOED = [
    ["tempo", "240"],
    ["start"],
    ["tempo", "400"],
    ["tempo", "260"],
    ["locate", "9"],
    ["stop"],
    ["locate", "3"],
    ["continue"],
    ["tempo", "330"],
    ["stop"],
]
COMPLAINTS = [
    "bytes came that are no MIDI",
    "a SysEx of more than 256 bytes came",
    "the DAW's clock is faster than 999 BPM",
    "bass leads this room",
]
LOOP_5_TO_8, NO_LOOP = "f07d6d500105000900f7", "f07d6d5001f7"


@contextlib.contextmanager
def leading(player: Player) -> Iterator[tuple[LeadingDaw, TickMeter]]:
    """A DAW at a player's ports, and what it says itself."""
    with LeadingDaw(player.env, device="midiPool") as daw, TickMeter(player.env, daw.out) as own:
        own.wait_until(lambda heard: heard.connected)
        yield daw, own


def ticks_us(meter: TickMeter) -> dict[int, float]:
    """When each tick of the song was, since the song last began or jumped."""
    heard = meter.snapshot()
    places = Daw().hear(heard.events[0]).clocks
    jumps = [i for i in range(1, len(places)) if places[i][1] != places[i - 1][1] + 1]
    places = places[max(jumps, default=0) :]
    if not places:
        return {}
    frames = np.array([frame for frame, _ in places], dtype=np.int64)
    times_us = FrameTimes.fit(heard.cycles, meter.sample_rate).at(frames) / 1000
    return {tick: float(us) for (_, tick), us in zip(places, times_us, strict=True)}


def in_phase(*meters: TickMeter) -> bool:
    """Whether all have had the last beats of the song at the same time."""
    songs = [ticks_us(meter) for meter in meters]
    common = sorted(set.intersection(*map(set, songs)))[-COMPARED_TICKS:]
    if len(common) < COMPARED_TICKS:
        return False
    spread = [max(song[t] for song in songs) - min(song[t] for song in songs) for t in common]
    return bool(np.quantile(spread, 0.9) <= ON_IT_US)


def hear_ticks(meter: TickMeter, count: int) -> None:
    """Wait until so many more clocks were heard."""
    until = clocks(meter.snapshot().events[0]) + count
    meter.wait_until(lambda heard: clocks(heard.events[0]) >= until)


def wait_quiet(player: Player) -> None:
    """Wait until what a DAW says is no answer any more to what it was told."""

    def is_over(heard: Heard) -> bool:
        last_frame = heard.events[0][-1][0] if heard.events[0] else 0
        return heard.cycles[-1][0] - last_frame > ANSWER_FRAMES

    player.meter.wait_until(is_over)


def wait_bpm(stage: Stage, bpm: float) -> None:
    wait_until(lambda: abs(newest_timeline(stage).mbpm / 1000 - bpm) < 0.1)


def wait_playing(stage: Stage, playing: bool) -> None:
    wait_until(lambda: newest_timeline(stage).playing is playing)


def test_the_room_follows_a_daw_that_starts_changes_tempo_and_stops(band: Stage) -> None:
    drums, bass = band.players
    with leading(drums) as (daw, own):
        daw("tempo", 180)
        daw("start")
        wait_bpm(band, 180)
        wait_until(lambda: in_phase(own, drums.meter, bass.meter))
        daw("tempo", 150)
        wait_bpm(band, 150)
        hear_ticks(own, JUDGED_TICKS)
        wait_until(lambda: in_phase(own, drums.meter, bass.meter))
        assert newest_timeline(band).playing
        daw("stop")
        wait_playing(band, False)
    bass.meter.wait_until(lambda heard: heard.events[0][-1][1] == b"\xfc")


def test_a_daw_that_goes_on_elsewhere_takes_the_room_there(band: Stage) -> None:
    drums, bass = band.players
    wait_quiet(drums)
    with leading(drums) as (daw, own):
        daw("tempo", 150)
        daw("position", 64)
        wait_until(lambda: band.status()["position"]["bar"] == 5)
        daw("continue")
        wait_playing(band, True)
        hear_ticks(own, JUDGED_TICKS)
        wait_until(lambda: in_phase(own, drums.meter, bass.meter))
        assert min(ticks_us(own)) == 64 * 6
        daw("stop")
        wait_playing(band, False)


def test_machine_control_and_loop_messages_lead_the_room(band: Stage) -> None:
    bass = band.players[1]
    band.conduct("tempo", "120")
    wait_quiet(bass)
    with LeadingDaw(bass.env, device="midiPool") as daw:
        daw("raw", MMC_LOCATE_8_S)
        wait_until(lambda: band.status()["position"]["bar"] == 5)
        daw("raw", MMC_PLAY)
        wait_playing(band, True)
        daw("raw", LOOP_5_TO_8)
        wait_until(lambda: band.status()["loop"] == [5, 9])
        daw("raw", NO_LOOP)
        wait_until(lambda: band.status()["loop"] is None)
        daw("raw", MMC_STOP)
        wait_playing(band, False)
        assert band.status()["position"]["bar"] in (5, 6)


def test_a_daw_that_only_follows_never_changes_the_room(band: Stage) -> None:
    drums, bass = band.players
    with echoing_daw(drums.env, "midiPool", delay_ms=40) as echo:
        echo.wait_for_output("connected")
        for words in ECHOED:
            before = newest_timeline(band).revision
            band.conduct(*words)
            if newest_timeline(band).playing:
                hear_ticks(bass.meter, JUDGED_TICKS)
            else:
                wait_quiet(bass)
            assert newest_timeline(band).revision == before + 1, words


def test_a_member_says_itself_whether_its_daw_leads(band: Stage) -> None:
    drums, bass = band.players
    band.conduct("tempo", "240")
    with (
        Member(band, drums, "follower", "--follow") as follower,
        Member(band, bass, "boss", "--lead") as boss,
        daws(band) as (guessed, _),
    ):
        follower.daw("tempo", 200)
        follower.daw("start")
        with TickMeter(drums.env, follower.daw.out) as own:
            hear_ticks(own, JUDGED_TICKS)
        assert not newest_timeline(band).playing
        for daw, leads in ((follower.daw, False), (guessed, False), (boss.daw, True)):
            before = newest_timeline(band).revision
            band.conduct("start")
            daw.wait_heard(lambda daw: [data for _, data in daw.heard][-1:] == [b"\xf8"])
            daw("tempo", 240)
            daw("start")
            hear_ticks(bass.meter, JUDGED_TICKS)
            assert (newest_timeline(band).revision > before + 1) is leads
            band.conduct("stop")
            daw("stop")
            wait_quiet(bass)


def test_a_room_ticks_on_whatever_a_daw_sends(band: Stage) -> None:
    drums, bass = band.players
    chance = random.Random(3)
    noise = [chance.randbytes(chance.randint(1, 3)).hex() for _ in range(500)]
    band.conduct("mode", "leader", "bass", by=bass)
    band.conduct("tempo", "120", by=bass)
    band.conduct("start", by=bass)
    hear_ticks(bass.meter, 24)
    before, begun_frame = newest_timeline(band), bass.meter.snapshot().events[0][-1][0]
    with Member(band, drums, "slow") as slow, LeadingDaw(drums.env, device="midiPool") as daw:
        slow.daw("tempo", 1)
        slow.daw("clock")
        for said in (noise, ["f0", *["55" * 200] * 100]):
            daw("raw", *said)
            hear_ticks(bass.meter, 48)
        for bpm in (2_000, 25_000):  # at 25,000 BPM there are 10,000 F8 a second
            daw("tempo", bpm)
            daw("clock")
            hear_ticks(bass.meter, 48)
            daw("rest")
            hear_ticks(bass.meter, 48)
        slow.client.wait_for_output("the DAW's clock is slower than 20 BPM: its tempo is not taken")
    assert newest_timeline(band) == before
    song = Daw().hear([e for e in bass.meter.snapshot().events[0] if e[1][0] >= 0xF0])
    assert song.log[-1] == "FA"
    frames = [frame for frame, _ in song.clocks if frame >= begun_frame]
    # The dummy driver loses frames at an xrun.
    assert np.quantile(np.abs(np.diff(frames) - TICK_FRAMES), 0.9) <= 1
    for complaint in COMPLAINTS:
        assert drums.client.output().count(complaint) == 1, drums.client.output()
