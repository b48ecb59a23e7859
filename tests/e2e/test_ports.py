"""Several ports of one player: offsets, switches, the click."""

import contextlib
import functools
import itertools
from pathlib import Path

import numpy as np
import pytest

from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from tests.e2e.conftest import needs_jackd
from tests.e2e.leading_daw import LeadingDaw
from tests.e2e.listening import Daw, Event, clocks
from tests.e2e.solo import Solo
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.jack, pytest.mark.idle]
MINE, KEYS = "midiPool:midi_receive", "keys:midi_receive"
FRAMES_A_MS = 48
TICK_FRAMES = 1000  # at 120 BPM


def ticks(events: list[Event]) -> list[int]:
    return [frame for frame, data in events if data == b"\xf8"]


def apart(first: list[Event], second: list[Event]) -> list[int]:
    """Frames from each tick of the song at one port to the same tick at the other."""
    here, there = ({tick: frame for frame, tick in Daw().hear(e).clocks} for e in (first, second))
    return [there[tick] - frame for tick, frame in here.items() if tick in there]


def was_gone(solo: Solo, times: int) -> bool:
    return solo.client.output().count("ports are gone") == times


def test_each_port_has_its_own_offset_and_is_trimmed_without_losing_a_tick(
    jack: JackServer, tmp_path: Path
) -> None:
    words = ["--offset-ms", "-5", "--virtual-port", "keys,offset=20", "--virtual-port", "pad"]
    with Solo(jack, tmp_path, words, [MINE, KEYS, "pad:midi_receive"]) as solo:
        solo.conduct("start")
        heard = solo.meter.wait_until(lambda h: min(map(clocks, h.events)) >= 96)
        assert np.median(apart(*heard.events[:2])) == pytest.approx(25 * FRAMES_A_MS, abs=3)
        assert "-5.0 ms" in solo.command("offset", "show")
        solo.command("offset", "30", "--device", "pad")

        def arrived(events: list[list[Event]]) -> bool:
            return abs(apart(events[0], events[2])[-1] - 35 * FRAMES_A_MS) <= 3

        heard = solo.meter.wait_until(lambda h: arrived(h.events))
    steps = [b - a for a, b in itertools.pairwise(ticks(heard.events[2]))]
    assert np.quantile(steps, [0.02, 0.98]) == pytest.approx(TICK_FRAMES, rel=0.06)
    # A JACK server that is late loses some frames; a tick that was lost or doubled is more.
    assert 0.3 * TICK_FRAMES < min(steps) <= max(steps) < 1.7 * TICK_FRAMES


def test_the_click_counts_in_and_falls_on_the_beats_with_its_accent(
    jack: JackServer, tmp_path: Path
) -> None:
    with Solo(
        jack, tmp_path, ["--click", "--virtual-port", "keys,clock=off"], [MINE, KEYS]
    ) as solo:
        solo.conduct("tempo", "240")
        solo.conduct("start", "--count-in", "1")
        heard = solo.meter.wait_until(lambda h: clocks(h.events[0]) >= 24 * 9)
    mine, keys = heard.events
    first = ticks(mine)
    clicks = [(frame, data[1]) for frame, data in mine if data[0] == 0x99]
    counted = [note for frame, note in clicks if frame < first[0] - 2]
    assert counted == [76, 77, 77, 77]
    pairs = list(zip(clicks[4:], first[::24], strict=False))
    assert len(pairs) >= 8
    assert all(abs(click - beat) <= 2 for (click, _), beat in pairs)
    assert [note for (_, note), _ in pairs][:5] == [76, 77, 77, 77, 76]
    assert keys == []


def test_a_device_that_is_plugged_in_later_gets_the_clock(jack: JackServer, tmp_path: Path) -> None:
    # rtmidi's JACK interface stands for a device's driver here: its ports come and go as well.
    words = ["--midi-port", "synth:in,offset=0", "--virtual-port", "keys"]
    with Solo(jack, tmp_path, words, [KEYS]) as solo:
        assert "no MIDI port named 'synth:in'" in solo.client.wait_for_output("synth:in")
        solo.conduct("start")
        solo.meter.wait_until(lambda h: clocks(h.events[0]) >= 24)
        for times in (1, 2):
            with Background.python("tests.e2e.plugged_device", "synth", env=jack.env) as device:
                device.wait_for_output("FB")
                device.wait_for_output("F8 48")
            wait_until(functools.partial(was_gone, solo, times))
        heard = solo.meter.snapshot()
    steps = [b - a for a, b in itertools.pairwise(ticks(heard.events[0]))]
    assert max(steps) < 1.7 * TICK_FRAMES


def test_an_existing_ports_input_is_heard_too(tmp_path: Path) -> None:
    needs_jackd()
    # rtmidi gets all of a period's bytes at its end: from long ones a tempo is hardly known.
    with JackServer(period=128) as jack, contextlib.ExitStack() as stack:
        jack.wait_ready()
        daw = stack.enter_context(LeadingDaw(jack.env, "synth"))
        words = ["--midi-port", "synth:", "--virtual-port", "keys", "--control-port", "synth:"]
        with Solo(jack, tmp_path, words, [KEYS]) as solo:
            daw("tempo", 90)
            daw("start")
            solo.meter.wait_until(lambda h: clocks(h.events[0]) >= 48)
            wait_until(lambda: abs(solo.status()["bpm"] - 90) < 0.5)
            solo.command("ctl", "learn", "mix", "send-mute", "--source", "cc:1:64", "--how", "hold")
            daw("raw", "b0407f")
            wait_until(lambda: "send_mute: on" in solo.command("ctl", "state", "mixer"))
