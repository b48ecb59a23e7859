"""Calibrating with a DAW that answers after a while: a loopback on JACK."""

import json
from pathlib import Path

import pytest

from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from tests.e2e.echoing_daw import echoing_daw

pytestmark = [pytest.mark.jack, pytest.mark.idle, pytest.mark.timeout(120)]


def test_the_delay_of_a_daw_is_found_and_kept(jack: JackServer, tmp_path: Path) -> None:
    env = {**jack.env, "XDG_CONFIG_HOME": str(tmp_path)}
    words = ["calibrate", "--json", "--save", "--device-name", "synth"]
    with (
        echoing_daw(jack.env, "synth", delay_ms=40),
        Background.python("midipool_client", *words, env=env) as command,
    ):
        assert command.process.wait(60) == 0, command.output()
        result = json.loads(command.output().splitlines()[-1])
    # JACK delays one way of a loop by a period.
    period_ms = jack.period / 48
    assert -40.8 - period_ms < result["offset_ms"] < -39.5
    settings = json.loads((tmp_path / "midipool/settings.json").read_text())
    assert settings["ports"]["device:synth"]["offset_ms"] == result["offset_ms"]


def test_a_daw_that_says_nothing_gets_no_offset(jack: JackServer, tmp_path: Path) -> None:
    env = {**jack.env, "XDG_CONFIG_HOME": str(tmp_path)}
    with Background.python("midipool_client", "calibrate", env=env) as command:
        assert command.process.wait(60) == 1
        assert "nothing came back: connect the DAW's MIDI output" in command.output()
