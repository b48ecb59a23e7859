"""Playing together in MIDI, by what DAWs at both ends send and get."""

import contextlib
import functools
import math
import os
import signal

import numpy as np
import pytest

from midipool_demo.stage import CLOCK_PORT, Stage
from midipool_demo.tick_meter import TickMeter
from tests.e2e.echoing_daw import echoing_daw
from tests.e2e.leading_daw import LeadingDaw
from tests.e2e.listening import Daw, Event, clocks
from tests.e2e.member import Member, daws
from tests.e2e.timelines import newest_timeline
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.jack, pytest.mark.idle]
BAR_TICKS = 96
NOTES = 5
TICK_FRAMES = 500  # at 240 BPM
FRAMES_OFF = 3
WAY_TICKS = 1.5  # from port to port
SYSEX = "f07e" + "5a" * 37 + "f7"
"""Of 40 bytes."""


def hexes(daw: LeadingDaw) -> list[str]:
    return [data.hex() for data in daw.played]


def test_a_note_reaches_the_others_but_not_who_played_it(band: Stage) -> None:
    with daws(band) as (drums, bass):
        drums("raw", "99247f", "b90410")
        bass.wait_heard(lambda daw: hexes(daw) == ["99247f", "b90410"])
        bass("raw", "912440")
        drums.wait_heard(lambda daw: hexes(daw) != [])
        assert hexes(drums) == ["912440"]
        assert hexes(bass) == ["99247f", "b90410"]


def test_each_member_shares_and_hears_what_it_chose(band: Stage) -> None:
    drums, bass = band.players
    singer_words = ["--share", "notes,programs", "--share-channels", "1-2", "--share-map", "2:7"]
    keys_words = ["--hear", "notes", "--hear-channels", "1,7", "--hear-map", "singer=7:12"]
    with (
        Member(band, drums, "singer", *singer_words) as singer,
        Member(band, bass, "keys", *keys_words, "--hear-from", "singer") as keys,
        daws(band) as (drums_daw, bass_daw),
    ):
        # On channel 3 and the controller are not shared; on channel 2 moves to 7.
        singer.daw("raw", "923c40", "b00740", "c005", "913d40", "903e40", "913d00", "903e00")
        bass_daw.wait_heard(lambda daw: "903e00" in hexes(daw))
        assert hexes(bass_daw) == ["c005", "963d40", "903e40", "963d00", "903e00"]
        # Keys hears notes of the singer only, the one on 7 on 12.
        drums_daw("raw", "903f40", "903f00")
        bass_daw.wait_heard(lambda daw: "903f00" in hexes(daw))
        singer.daw("raw", "904040", "904000")
        keys.daw.wait_heard(lambda daw: "904000" in hexes(daw))
        first = ["9b3d40", "903e40", "9b3d00", "903e00"]
        assert hexes(keys.daw) == [*first, "904040", "904000"]


def test_sysex_passes_whole_where_both_sides_asked_for_it(band: Stage) -> None:
    drums, bass = band.players
    with (
        Member(band, drums, "dx7", "--share", "all") as dx7,
        Member(band, bass, "librarian", "--hear", "all") as librarian,
        daws(band) as (drums_daw, bass_daw),
    ):
        drums_daw("raw", SYSEX, "903c40", "903c00")
        dx7.daw("raw", SYSEX, "903d40", "903d00")
        for daw in (librarian.daw, bass_daw):
            daw.wait_heard(lambda daw: {"903c00", "903d00"} <= set(hexes(daw)))
        assert hexes(librarian.daw).count(SYSEX) == 1
        assert SYSEX not in hexes(bass_daw)


def test_what_a_member_held_ends_when_it_dies_or_stalls(band: Stage) -> None:
    drums = band.players[0]
    with (
        Member(band, drums, "killed") as killed,
        Member(band, drums, "stalled") as stalled,
        daws(band) as (_, bass),
    ):
        killed.daw("raw", "903c40", "b04040")
        stalled.daw("raw", "913d40", "b14040", "e17f7f")
        bass.wait_heard(lambda daw: len(hexes(daw)) == 5)
        for member, number, over, within_s in [
            (killed, signal.SIGKILL, {"803c40", "b04000"}, 0.5),
            (stalled, signal.SIGSTOP, {"813d40", "b14000", "e10040"}, 2.0),
        ]:
            ended = functools.partial(has_heard, bass, len(hexes(bass)), over)
            os.kill(member.client.process.pid, number)
            wait_until(ended, timeout_s=within_s)


def has_heard(daw: LeadingDaw, before: int, messages: set[str]) -> bool:
    """Whether all of these came behind so many others."""
    return messages <= set(hexes(daw)[before:])


@pytest.mark.parametrize("delays_ms", [(0, 40), (15, 5)])
def test_daws_that_pass_everything_through_make_no_loop(
    band: Stage, delays_ms: tuple[int, int]
) -> None:
    bass = band.players[1]
    band.conduct("start")
    wait_until(lambda: bool(band.status()["playing"]))
    revision = newest_timeline(band).revision
    with contextlib.ExitStack() as stack:
        for player, delay_ms in zip(band.players, delays_ms, strict=True):
            echo = stack.enter_context(echoing_daw(player.env, "midiPool", delay_ms))
            echo.wait_for_output("connected")
        echoed = stack.enter_context(TickMeter(bass.env, "echo:out"))
        echoed.wait_until(lambda heard: heard.connected)
        drums_daw, bass_daw = stack.enter_context(daws(band))
        for key in range(60, 64):
            drums_daw("raw", f"90{key:02x}40", f"90{key:02x}00", f"b001{key:02x}")
        played = [
            data
            for key in range(60, 64)
            for data in (f"90{key:02x}40", f"90{key:02x}00", f"b001{key:02x}")
        ]
        echoed.wait_until(lambda heard: (b"\xb0\x01\x3f") in [data for _, data in heard.events[0]])
        # What went round would have come long before so many clocks have passed.
        now = clocks([(0, data) for _, data in bass_daw.heard])
        wait_until(lambda: clocks([(0, data) for _, data in bass_daw.heard]) > now + 36)
        assert hexes(bass_daw) == played
        assert hexes(drums_daw) == []
        assert newest_timeline(band).revision == revision
    band.conduct("stop")


def ticks_of(events: list[Event], status: int) -> list[float]:
    """The tick of the song, with its fraction, at which each message of a kind was heard."""
    heard = Daw().hear([(frame, data) for frame, data in events if data[0] >= 0xF0]).clocks
    frames = [frame for frame, _ in heard]
    ticks = [tick for _, tick in heard]
    notes = [frame for frame, data in events if data[0] == status]
    assert all(frames[0] <= note <= frames[-1] for note in notes)
    return [float(tick) for tick in np.interp(notes, frames, ticks)]


def test_notes_come_on_the_grid_or_exactly_a_bar_later(band: Stage) -> None:
    drums, bass = band.players
    with (
        Member(band, bass, "gridded", "--hear-as", "grid:1/4") as gridded,
        Member(band, bass, "later", "--hear-as", "bars:1") as later,
        LeadingDaw(drums.env, device="midiPool") as daw,
        TickMeter(drums.env, CLOCK_PORT, daw.out) as here,
        TickMeter(bass.env, gridded.receive, later.receive) as there,
    ):
        for meter in (here, there):
            meter.wait_until(lambda heard: heard.connected)
        band.conduct("tempo", "240")
        band.conduct("start")
        there.wait_until(lambda heard: clocks(heard.events[1]) >= BAR_TICKS)
        for key in range(60, 60 + NOTES):
            daw("raw", f"90{key:02x}40")
            heard = clocks(there.snapshot().events[1])
            there.wait_until(lambda h, n=heard + 17: clocks(h.events[1]) >= n)
            daw("raw", f"80{key:02x}40")
        far = there.wait_until(lambda heard: all(map(is_over, heard.events)))
        near = here.snapshot()
    band.conduct("stop")
    # The song's place is that of the clock at the player's own port.
    own = sorted(near.events[0] + near.events[1])
    gridded_events, later_events = far.events
    for status in (0x90, 0x80):
        played, came = ticks_of(own, status), ticks_of(later_events, status)
        off = [abs(b - a - BAR_TICKS) for a, b in zip(played, came, strict=True)]
        # The dummy driver loses frames at an xrun, which moves what is near it.
        assert np.median(off) <= FRAMES_OFF / TICK_FRAMES
    played, came = ticks_of(own, 0x90), ticks_of(gridded_events, 0x90)
    # What was played on the line itself arrives behind it.
    off = [
        min(abs(line - next_line(tick)), abs(line - next_line(tick + WAY_TICKS)))
        for tick, line in zip(played, came, strict=True)
    ]
    # An xrun may have moved one.
    assert sorted(off)[-2] <= FRAMES_OFF / TICK_FRAMES


def next_line(tick: float) -> float:
    """The next quarter."""
    return math.ceil(tick / 24) * 24.0


def is_over(events: list[Event]) -> bool:
    """Whether all notes have ended, and the song went on behind them."""
    ended = sum(data[0] == 0x80 for _, data in events)
    return ended == NOTES and events[-1][1] == b"\xf8"
