"""Who may change the room: what DAWs and shells of the members get done, and what they are told."""

import pytest

from midipool_demo.stage import Player, Stage
from midipool_demo.tick_meter import TickMeter
from tests.e2e.leading_daw import LeadingDaw
from tests.e2e.listening import clocks
from tests.e2e.member import daws
from tests.e2e.timelines import newest_timeline
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.jack, pytest.mark.idle]
TEMPO_KNOWN_TICKS = 72


@pytest.fixture(autouse=True)
def _drums_is_host(band: Stage) -> None:
    """Who came first is, and hosts may set any mode."""
    for member in band.status()["access"]["members"]:
        if member["name"] == "bass" and member["role"] == "host":
            band.conduct("role", "drums", "host", by=band.players[1])
            band.conduct("role", "bass", "player", by=band.players[0])


def wait_refused(player: Player, why: str) -> None:
    """Wait until the client's log says why the DAW was refused."""
    wait_until(lambda: f"the room refused what the DAW did: {why}" in player.client.output())


def wait_playing(stage: Stage, playing: bool) -> None:
    wait_until(lambda: newest_timeline(stage).playing is playing)


def test_only_the_leader_leads_until_it_hands_over(band: Stage) -> None:
    drums, bass = band.players
    with daws(band) as (drums_daw, bass_daw):
        band.conduct("mode", "leader", "drums", by=drums)
        before = newest_timeline(band)
        bass_daw("start")
        wait_refused(bass, "drums leads this room: ask drums to hand over")
        assert newest_timeline(band) == before
        with pytest.raises(RuntimeError, match="drums leads"):
            band.conduct("mode", "leader", "bass", by=bass)
        drums_daw("start")
        wait_playing(band, True)
        band.conduct("mode", "leader", "bass", by=drums)
        bass_daw("stop")
        wait_playing(band, False)
        band.conduct("mode", "open", by=bass)


def test_a_shell_of_nobodys_changes_an_open_room_but_no_led_one(band: Stage) -> None:
    drums = band.players[0]
    band.conduct("tempo", "101")
    band.conduct("mode", "leader", "drums", by=drums)
    with pytest.raises(RuntimeError, match="drums leads this room"):
        band.conduct("tempo", "102")
    with pytest.raises(RuntimeError, match="drums leads this room"):
        band.conduct("mode", "open")
    assert newest_timeline(band).mbpm == 101_000
    band.conduct("mode", "open", by=drums)


def test_nobody_changes_a_locked_room_but_who_locked_it_opens_it(band: Stage) -> None:
    drums, bass = band.players
    band.conduct("mode", "locked", by=drums)
    with daws(band) as (drums_daw, bass_daw):
        before = newest_timeline(band)
        drums_daw("start")
        bass_daw("start")
        for player in (drums, bass):
            wait_refused(player, "drums locked this room")
        with pytest.raises(RuntimeError, match="locked"):
            band.conduct("tempo", "99", by=drums)
        with pytest.raises(RuntimeError, match="locked"):
            band.conduct("mode", "open", by=bass)
        assert newest_timeline(band) == before
    band.conduct("mode", "open", by=drums)
    band.conduct("tempo", "99", by=bass)


def test_a_daws_new_tempo_is_voted_on(band: Stage) -> None:
    drums, bass = band.players
    band.conduct("mode", "vote", by=drums)
    before = newest_timeline(band)
    with LeadingDaw(drums.env, device="midiPool") as daw, TickMeter(drums.env, daw.out) as own:
        daw("clock")
        own.wait_until(lambda heard: clocks(heard.events[0]) >= TEMPO_KNOWN_TICKS)
        daw("tempo", 143)
        wait_until(lambda: "drums wants 'tempo 14" in bass.client.output())
        assert newest_timeline(band) == before
        band.conduct("vote", "yes", by=bass)
        wait_until(lambda: abs(newest_timeline(band).mbpm - 143_000) < 1_500)
    wait_until(lambda: "' passed: 2 yes" in drums.client.output())
    assert "the vote on 'tempo 14" in drums.client.output()
