"""What the doctor says of JACK, PipeWire and rtmidi, given what is there."""

from typing import Any

import msgspec
import pytest

from midipool_client.doctor.midi import (
    MidiLook,
    jack_kind,
    judge_library,
    judge_midi,
    judge_name,
    judge_others,
    judge_ports,
    judge_rtmidi,
    judge_sequencer,
    judge_server,
)
from tests.client.doctor.looks import JACK, MIDI


def look(**changes: Any) -> MidiLook:
    return msgspec.structs.replace(MIDI, **changes)


def jack(**changes: Any) -> MidiLook:
    return look(jack=msgspec.structs.replace(JACK, **changes))


def test_a_good_machine_needs_no_advice() -> None:
    findings = judge_midi(MIDI, "midiPool")
    assert [(f.name, f.status, f.advice) for f in findings] == [
        (name, "good", "")
        for name in (
            "JACK library",
            "JACK server",
            "ALSA sequencer",
            "rtmidi",
            "other MIDI ports",
            "device name",
            "MIDI ports",
        )
    ]


@pytest.mark.parametrize(
    ("library", "version", "kind"),
    [
        ("/usr/lib/libjack.so.0.1.0", "1.9.22", "JACK2"),
        ("/usr/lib/libjack.so.0.1.0", "", "JACK2"),
        ("/usr/lib/libjack.so.0.0.28", "0.126.0", "JACK1"),
        ("/usr/lib/pipewire-0.3/jack/libjack.so.0.3.1000", "", "PipeWire"),
        ("/usr/lib/libjack.so.0", "3.0.0.0 (using PipeWire 1.0.5)", "PipeWire"),
    ],
)
def test_whose_library_it_is(library: str, version: str, kind: str) -> None:
    found = look(jack_library=library, jack_version=version)
    assert jack_kind(found) == kind
    assert judge_library(found).text.startswith(kind)
    assert f"on {kind}" in judge_ports(found, "midiPool").text


def test_without_a_library_it_says_what_to_install() -> None:
    finding = judge_library(look(jack_library=None, jack=None))
    assert finding.status == "warning"
    assert "pipewire-jack" in finding.advice
    assert "brew" in judge_library(look(jack_library=None, jack=None, platform="darwin")).advice
    assert judge_server(look(jack_library=None, jack=None)).status == "unknown"


def test_the_server_and_what_its_period_means() -> None:
    finding = judge_server(MIDI)
    assert "48000 Hz, 128 frames, which is 2.7 ms, real-time, 0 xruns in 1.0 s" in finding.text
    assert finding.figures["period_ms"] == pytest.approx(2.667)


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"xruns": 3}, "longer periods"),
        ({"realtime": False}, "in real time"),
        ({"period_frames": 2048}, "shorter periods"),
    ],
)
def test_a_server_that_is_not_as_it_should_be(changes: dict[str, Any], advice: str) -> None:
    finding = judge_server(jack(**changes))
    assert finding.status == "warning"
    assert advice in finding.advice


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"programs": []}, "start JACK"),
        ({"programs": ["jackd"]}, "JACK_DEFAULT_SERVER"),
        ({"programs": ["jackdbus"]}, "JACK_DEFAULT_SERVER"),
        ({"programs": ["pipewire"]}, "pw-jack midipool-client"),
        ({"programs": [], "jack_version": "3.0.0.0 (using PipeWire 1.0.5)"}, "systemctl --user"),
    ],
)
def test_no_server_and_what_to_do_about_it(changes: dict[str, Any], advice: str) -> None:
    finding = judge_server(look(jack=None, **changes))
    assert finding.status == "warning"
    assert advice in finding.advice


def test_what_jack_said_is_passed_on() -> None:
    finding = judge_server(look(jack=None, jack_error="it refuses a client, status 0x1"))
    assert "it refuses a client, status 0x1" in finding.text


def test_the_sequencer() -> None:
    assert judge_sequencer(look(sequencer="absent")).status == "good"
    absent = judge_sequencer(look(sequencer="absent", jack=None))
    assert (absent.status, absent.advice) == ("warning", "sudo modprobe snd_seq")
    assert "usermod -aG audio" in judge_sequencer(look(sequencer="no permission")).advice
    assert judge_sequencer(look(sequencer="absent", platform="darwin", jack=None)).status == "good"


def test_rtmidi() -> None:
    assert "alsa, jack" in judge_rtmidi(MIDI).text
    assert judge_rtmidi(look(apis=["dummy"])).status == "warning"
    missing = judge_rtmidi(look(apis=None))
    assert (missing.status, missing.advice) == ("bad", "pip install python-rtmidi")


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({}, "good", "on ALSA, because no JACK server runs"),
        ({"apis": ["core"], "sequencer": "absent", "platform": "darwin"}, "good", "CoreMIDI"),
        ({"apis": ["winmm"], "sequencer": "absent"}, "warning", "no virtual MIDI ports"),
        ({"sequencer": "absent"}, "bad", "no ALSA sequencer"),
        ({"sequencer": "no permission"}, "bad", "sequencer is not permitted"),
        ({"apis": ["jack"]}, "bad", "none can be made"),
        ({"apis": None}, "bad", "none can be made"),
    ],
)
def test_where_the_ports_will_be_without_a_jack_server(
    changes: dict[str, Any], status: str, words: str
) -> None:
    finding = judge_ports(look(jack=None, **changes), "midiPool")
    assert finding.status == status
    assert words in finding.text
    assert bool(finding.advice) == (status != "good")


def test_ports_that_are_there_are_named() -> None:
    assert "'system:midi_capture_1', 'Hydrogen:TX'" in judge_others(MIDI).text
    assert judge_others(jack(ports=[])).text == "there are none"
    assert "'Synth 20:0'" in judge_others(look(jack=None, ports=["Synth 20:0"])).text


def test_names_from_elsewhere_cannot_write_on_the_terminal_or_fill_it() -> None:
    names = ["\x1b[2J\n", "x" * 1000, *(f"p{number}" for number in range(300))]
    text = judge_others(jack(ports=names)).text
    assert text.isprintable()
    assert len(text) < 400
    assert "and 294 more" in text


def test_a_name_that_is_taken() -> None:
    taken = jack(clients=["midiPool", "system"])
    assert judge_name(taken, "midiPool").status == "warning"
    assert "--device-name" in judge_name(taken, "midiPool").advice
    assert judge_name(taken, "midiPool-2").status == "good"
    alsa = look(jack=None, ports=["midiPool:midiPool receive 129:0"])
    assert judge_name(alsa, "midiPool").status == "warning"
    assert judge_name(alsa, "midi").status == "good"
