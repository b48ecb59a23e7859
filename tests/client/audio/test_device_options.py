"""What the command line says about the sound device."""

import argparse

import pytest

from midipool.errors import InvalidValue
from midipool_client.audio.device_choice import (
    AutoChoice,
    DeviceChoice,
    JackChoice,
    PortAudioChoice,
)
from midipool_client.audio.device_options import add_device_options, device_choice


def read(words: str) -> DeviceChoice | None:
    parser = argparse.ArgumentParser()
    add_device_options(parser.add_argument_group("audio"))
    return device_choice(parser.parse_args(words.split()))


@pytest.mark.parametrize(
    ("words", "choice"),
    [
        ("", AutoChoice()),
        ("--audio jack", JackChoice()),
        ("--audio portaudio", PortAudioChoice()),
        ("--audio pyaudio", PortAudioChoice()),
        ("--audio none", None),
        ("--no-audio", None),
        ("--audio-rate 96000 --period 32", AutoChoice(PortAudioChoice(rate=96_000, period=32))),
        ("--input-device 3", PortAudioChoice("3")),
        ("--output-device Scarlett --period 1024", PortAudioChoice("default", "Scarlett", 0, 1024)),
        ("--input-device none", PortAudioChoice("none")),
    ],
)
def test_what_is_said_is_chosen(words: str, choice: DeviceChoice | None) -> None:
    assert read(words) == choice


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--audio-rate 22050", "audio-rate: must be 44100, 48000, 88200 or 96000, not '22050'"),
        ("--period 16", "period: must be 32 to 1024 frames, not '16'"),
        ("--period 1025", "period: must be 32 to 1024"),
        ("--period 12.5", "period: must be 32 to 1024"),
        ("--input-device none --output-device none", "output-device: must not be none as well"),
        ("--audio jack --output-device 1", "output-device: is for --audio portaudio"),
        ("--audio jack --audio-rate 48000", "audio-rate: is the JACK server's"),
        ("--audio jack --period 64", "period: is the JACK server's"),
    ],
)
def test_what_cannot_be_says_which_option_and_what_to_do(words: str, told: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(words)
    assert str(caught.value).startswith(told)
