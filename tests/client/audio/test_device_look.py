"""`midipool-client devices`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from midipool_client.audio.device_look import DevicesLook, JackLook, PortAudioLook, in_lines
from midipool_native import portaudio
from midipool_native.portaudio import PortAudioError, SoundDevice

ASOUNDRC = """
pcm.nothing { type null }
pcm.!default { type null }
"""


def test_all_is_listed_with_its_index_and_what_join_would_take() -> None:
    jack = JackLook("default", True, "", 48_000, 128, True, ["system:capture_1"])
    device = SoundDevice(3, "Mic\x1b[2J", "ALSA", 1, 0, 44_100, True, False, True)
    lines = list(in_lines(DevicesLook(jack, PortAudioLook("PortAudio V19.7, x", [device]))))
    assert lines[0] == "JACK: server default, 48000 Hz, 128 frames, real-time, 1 audio ports"
    assert lines[1] == "  system:capture_1"
    assert lines[3] == "PortAudio: V19.7"
    assert lines[5] == "  3      Mic?[2J  ALSA      1   0    44100  default in"
    assert lines[-1].startswith("`join` takes JACK")


def test_where_there_is_nothing_it_says_what_to_do() -> None:
    nothing = DevicesLook(
        JackLook("default", False), PortAudioLook("", [], "install libportaudio2")
    )
    lines = list(in_lines(nothing))
    assert lines[0] == "JACK: no server runs under the name 'default'"
    assert "PortAudio: install libportaudio2" in lines
    assert "start JACK or PipeWire, or plug a sound device in" in lines[-1]


def test_the_command_lists_the_systems_devices(tmp_path: Path) -> None:
    try:
        portaudio.version()
    except PortAudioError as error:
        pytest.skip(str(error))
    (tmp_path / ".asoundrc").write_text(ASOUNDRC)
    env = os.environ | {"HOME": str(tmp_path), "JACK_DEFAULT_SERVER": "no-such-server"}
    command = [sys.executable, "-m", "midipool_client", "devices", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    look = json.loads(done.stdout)
    assert (look["jack"]["server"], look["jack"]["running"]) == ("no-such-server", False)
    mine = {d["name"]: d for d in look["portaudio"]["devices"] if d["host_api"] == "ALSA"}
    assert mine["nothing"]["outputs"] >= 2
    assert mine["default"]["default_input"]
    assert done.stderr == ""
