"""What can be said about audio on the command line, and what a typo is told."""

import argparse

import pytest

from midipool.audio.listening import Listening
from midipool.errors import InvalidValue
from midipool_client.audio.device_choice import JackChoice
from midipool_client.audio.options import (
    AudioOptions,
    add_audio_options,
    audio_options,
    listening_options,
)


def read(*words: str, kept: Listening | None = None) -> AudioOptions:
    parser = argparse.ArgumentParser()
    add_audio_options(parser.add_argument_group("audio"))
    parsed = parser.parse_args(words)
    options = audio_options(parsed, listening_options(parsed, kept or Listening()))
    assert options is not None
    return options


def test_without_options_it_is_jam_in_stereo_wherever_there_is_sound() -> None:
    assert read() == AudioOptions()
    assert AudioOptions() == AudioOptions(2, "jam", 1, 100.0, 0)


def test_everything_can_be_said() -> None:
    words = "--profile bar --bars 4 --max-latency-ms 12.5 --channels 1 --media-port 40000"
    options = read(*words.split(), "--audio", "jack")
    assert options == AudioOptions(1, "bar", 4, 12.5, 40_000, JackChoice())
    assert options.max_latency_us == 12_500


def test_what_is_not_said_is_as_it_was_set_last() -> None:
    kept = Listening(profile="bar", bars=3, max_latency_ms=40)
    assert read(kept=kept) == AudioOptions(2, "bar", 3, 40.0)
    assert read("--bars", "2", kept=kept) == AudioOptions(2, "bar", 2, 40.0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--channels", "3"], "channels: must be 1, 2 or 4, not '3'"),
        (["--channels", "two"], "channels: must be 1, 2 or 4, not 'two'"),
        (["--bars", "0"], "bars: must be 1 to 16, not '0'"),
        (["--bars", "17"], "bars: must be 1 to 16, not '17'"),
        (["--bars", "1.5"], "bars: must be 1 to 16, not '1.5'"),
        (["--bars", "٣"], "bars: must be 1 to 16"),
        (["--max-latency-ms", "4"], "max-latency-ms: must be 5 to 1000 ms, not '4'"),
        (["--max-latency-ms", "nan"], "max-latency-ms: must be 5 to 1000 ms, not 'nan'"),
        (["--max-latency-ms", "1e2"], "max-latency-ms: must be"),
        (["--media-port", "80"], "media-port: must be 1024 to 65535, or 0 for any, not '80'"),
        (["--media-port", "70000"], "media-port: must be 1024"),
        (["--media-port", "-1"], "media-port: must be 1024"),
    ],
)
def test_a_bad_value_is_told_the_option_and_the_rule(words: list[str], told: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(*words)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("fields", "option"),
    [
        ({"channels": 3}, "channels"),
        ({"profile": "fast"}, "profile"),
        ({"bars": 0}, "bars"),
        ({"max_latency_ms": float("nan")}, "max-latency-ms"),
        ({"media_port": 22}, "media-port"),
    ],
)
def test_a_program_is_held_to_the_same_rules(fields: dict[str, object], option: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        AudioOptions(**fields)  # type: ignore[arg-type]
    assert caught.value.field == option
