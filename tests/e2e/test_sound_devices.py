"""Sound devices of other kinds, rates and periods; and what happens when they go and come back.

PortAudio's devices are those of a JACK server without a sound card.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from midipool_demo import jack_look
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import Player, Stage
from midipool_native import portaudio
from midipool_native.portaudio import PortAudioError
from tests.e2e.conftest import needs_audio
from tests.e2e.sound_daw import Floats, SoundDaw, correlations, noise
from tests.e2e.test_hearing import both_hear, hearing
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.jack, pytest.mark.timeout(150)]
DRUMS_SEED, BASS_SEED = 30, 40
SECONDS = 2
MIX = [f"midiPool-audio:audio_receive_{n}" for n in (1, 2)]
PORTAUDIO_MIX = [f"PortAudio:out_{n}" for n in (0, 1)]
PORTAUDIO_SENDS = ("PortAudio:in_0", "PortAudio:in_1")
CARDS = {"drums": (44_100, 64), "bass": (96_000, 1024)}
OWN_AUDIO = {"bass": ("--audio", "pyaudio", "--period", "1024")}


def needs_portaudio() -> None:
    needs_audio()
    try:
        portaudio.version()
    except PortAudioError as error:
        pytest.skip(str(error))


def in_its_channel(recorded: Floats, seed: int, rate: int) -> bool:
    """Whether each channel has its own noise, and not the other's."""
    recorded = recorded[-SECONDS * rate :]
    played = [noise(seed + channel, rate) for channel in (0, 1)]
    alike = [
        [float(np.median(correlations(recorded[:, out], sound))) for sound in played]
        for out in (0, 1)
    ]
    return all(alike[c][c] > 0.85 and alike[c][1 - c] < 0.5 for c in (0, 1))


def loud(stage: Stage, listener: str, heard: str) -> bool:
    return (hearing(stage, listener, heard).get("level_db") or -99) > -30


def hear_each_other(stage: Stage, folder: Path, drums_rate: int, bass_rate: int) -> None:
    """Both play noise into their channels, and hear the other's."""
    drums, bass = stage.players
    wait_until(lambda: both_hear(stage), 30)
    with (
        SoundDaw(drums.env, DRUMS_SEED, folder / "drums.npy", *MIX) as at_drums,
        SoundDaw(
            bass.env, BASS_SEED, folder / "bass.npy", *PORTAUDIO_MIX, sends=PORTAUDIO_SENDS
        ) as at_bass,
    ):
        wait_until(lambda: loud(stage, "bass", "drums") and loud(stage, "drums", "bass"), 20)
        with ThreadPoolExecutor() as at_once:  # who ends is not heard any more
            recorded = list(at_once.map(lambda daw: daw.end(SECONDS), (at_drums, at_bass)))
    assert in_its_channel(recorded[0], BASS_SEED, drums_rate), "at drums"
    assert in_its_channel(recorded[1], DRUMS_SEED, bass_rate), "at bass"


def start_anew(player: Player, rate: int, period: int) -> JackServer:
    """The player's JACK server ends, and comes back with other values."""
    player.jack.stop()
    server = JackServer(rate, period, name=player.jack.name)
    server.wait_ready()
    return server


def test_unlike_devices_hear_each_other_and_come_back_with_other_values(tmp_path: Path) -> None:
    needs_portaudio()
    audio = ("--profile", "safe")
    with Stage(
        ("drums", "bass"),
        home=tmp_path,
        audio=audio,
        card=lambda name: JackServer(*CARDS[name]),
        own_audio=OWN_AUDIO,
    ) as stage:
        drums, bass = (player.client for player in stage.players)
        drums.wait_for_output("audio: JACK: client midiPool-audio, 44100 Hz, 64 frames")
        bass.wait_for_output("audio: PortAudio: system, JACK Audio Connection Kit, 96000 Hz, 10")
        hear_each_other(stage, tmp_path, 44_100, 96_000)
        with start_anew(stage.players[0], 44_100, 256), start_anew(stage.players[1], 48_000, 512):
            drums.wait_for_output("waiting for JACK to come back")
            bass.wait_for_output("the sound device has stopped: if it was unplugged, plug it in")
            drums.wait_for_output("audio: JACK: client midiPool-audio, 44100 Hz, 256 frames", 20)
            bass.wait_for_output("JACK Audio Connection Kit, 48000 Hz, 1024 frames", 20)
            jack_look.set_period(stage.players[0].env, 128)
            drums.wait_for_output("audio: the period is 128 frames now")
            hear_each_other(stage, tmp_path, 44_100, 48_000)
