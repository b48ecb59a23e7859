"""Which device audio goes through, as the command line says it. Pure."""

import argparse
import re

from midipool.errors import InvalidValue
from midipool_client.audio.device_choice import (
    DEFAULT,
    NONE,
    AutoChoice,
    DeviceChoice,
    JackChoice,
    PortAudioChoice,
)

WAYS = ("auto", "jack", "portaudio", "pyaudio", "none")
RATES = (44_100, 48_000, 88_200, 96_000)
LEAST_PERIOD, MOST_PERIOD = 32, 1024


def add_device_options(group: "argparse._ArgumentGroup") -> None:
    """Describe the options of `join`; `device_choice` reads them."""
    group.add_argument(
        "--audio",
        choices=WAYS,
        default="auto",
        help="auto takes JACK (or PipeWire) if it runs, else the system's sound devices by "
        "PortAudio, which is also called pyaudio; none is MIDI only (%(default)s)",
    )
    group.add_argument("--no-audio", action="store_true", help="MIDI only, as --audio none")
    for direction in ("input", "output"):
        group.add_argument(
            f"--{direction}-device",
            metavar="NAME|INDEX",
            help=f"PortAudio's {direction}, as `midipool-client devices` lists it: a name, a part "
            "of one, an index, or none (default: the system's)",
        )
    group.add_argument(
        "--audio-rate",
        metavar="HZ",
        help="of PortAudio's devices: 44100, 48000, 88200 or 96000 (default: their own)",
    )
    group.add_argument(
        "--period",
        metavar="FRAMES",
        help=f"of PortAudio's devices, {LEAST_PERIOD} to {MOST_PERIOD}: less is sooner heard, and "
        "sooner broken (256)",
    )


def device_choice(options: argparse.Namespace) -> DeviceChoice | None:
    """What the command line says, None for MIDI only; raises InvalidValue."""
    if options.no_audio or options.audio == "none":
        return None
    choice = PortAudioChoice(
        input=_device(options.input_device, "input-device"),
        output=_device(options.output_device, "output-device"),
        rate=0 if options.audio_rate is None else parse_rate(options.audio_rate),
        period=0 if options.period is None else parse_period(options.period),
    )
    if choice.input == choice.output == NONE:
        raise InvalidValue("output-device", "must not be none as well: --no-audio is MIDI only")
    if options.audio == "jack":
        _must_be_jacks(choice)
        return JackChoice()
    named = options.input_device is not None or options.output_device is not None
    return choice if named or options.audio != "auto" else AutoChoice(choice)


def parse_rate(text: str, option: str = "audio-rate") -> int:
    """Read `44100`, `48000`, `88200` or `96000`."""
    if text.strip() not in {str(rate) for rate in RATES}:
        raise InvalidValue(option, f"must be 44100, 48000, 88200 or 96000, not {text!r}")
    return int(text)


def parse_period(text: str, option: str = "period") -> int:
    """Read `32` to `1024`."""
    match = re.fullmatch(r"\s*\d{1,4}\s*", text, re.ASCII)
    if match is None or not LEAST_PERIOD <= int(text) <= MOST_PERIOD:
        raise InvalidValue(option, f"must be {LEAST_PERIOD} to {MOST_PERIOD} frames, not {text!r}")
    return int(text)


def _device(text: str | None, option: str) -> str:
    if text is None:
        return DEFAULT
    if not text.strip():
        raise InvalidValue(option, "must name a device: `midipool-client devices` lists them")
    return text.strip()


def _must_be_jacks(choice: PortAudioChoice) -> None:
    named = [name for name in ("input", "output") if getattr(choice, name) != DEFAULT]
    if named:
        text = "is for --audio portaudio: JACK's ports are connected by you, or your DAW"
        raise InvalidValue(f"{named[0]}-device", text)
    if choice.rate:
        raise InvalidValue("audio-rate", "is the JACK server's: start it with another -r")
    if choice.period:
        raise InvalidValue("period", "is the JACK server's: start it with another -p")
