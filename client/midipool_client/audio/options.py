"""How a player hears and is heard, and how the command line says it. Pure.

Every `parse_` function raises InvalidValue, which names the option and what it takes.
"""

import argparse
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from midipool.audio.bars import MAX_BARS, check_bars
from midipool.audio.encoding import CHANNELS
from midipool.audio.listening import LEAST_LATENCY_MS, MOST_LATENCY_MS, Listening, check_latency_ms
from midipool.audio.profiles import DEFAULT_PROFILE, PROFILE_NAMES, ProfileName, profile_named
from midipool.errors import InvalidValue
from midipool_client.audio.device_choice import AutoChoice, DeviceChoice
from midipool_client.audio.device_options import add_device_options, device_choice

# Below are the ports of the system's own services, which need a privilege.
FIRST_PORT, LAST_PORT = 1024, 65535


@dataclass(frozen=True, slots=True)
class AudioOptions:
    """What was asked for; raises InvalidValue when it breaks a rule."""

    channels: int = 2
    """Of what is sent and of the mix: 1, 2 or 4."""
    profile: ProfileName = DEFAULT_PROFILE
    bars: int = 1
    """How many bars later everybody is heard in `bar`."""
    max_latency_ms: float = 100.0
    """The most that the buffer of `jam` grows to."""
    media_port: int = 0
    """UDP port of this player's media socket; 0 lets the system choose."""
    device: DeviceChoice = field(default_factory=AutoChoice)
    sends: bool = True
    """Whether it sends anything at all."""

    def __post_init__(self) -> None:
        if self.channels not in CHANNELS:
            raise InvalidValue("channels", f"must be 1, 2 or 4, not {self.channels}")
        profile_named(self.profile)
        check_bars(self.bars)
        check_latency_ms(self.max_latency_ms)
        if self.media_port and not FIRST_PORT <= self.media_port <= LAST_PORT:
            raise InvalidValue("media-port", _port_rule(str(self.media_port)))

    @property
    def max_latency_us(self) -> int:
        """Ceiling of `jam`'s buffer."""
        return round(self.max_latency_ms * 1000)


def add_audio_options(group: "argparse._ArgumentGroup") -> None:
    """Describe the options of `join`; `audio_options` reads them."""
    add_device_options(group)
    add_hearing_options(group)
    group.add_argument(
        "--channels", metavar="N", default="2", help="to send and to hear: 1, 2 or 4 (%(default)s)"
    )


def add_hearing_options(group: "argparse._ArgumentGroup") -> None:
    """Describe how the others are heard, on any device."""
    group.add_argument(
        "--profile",
        choices=PROFILE_NAMES,
        help="how you hear the others: lan: as soon as possible; jam: soon, and without holes; "
        "safe: late, over bad lines; bar: whole bars later (what you set last, else "
        f"{DEFAULT_PROFILE}); kept for this device, and changed while playing by `hear`",
    )
    group.add_argument(
        "--bars",
        metavar="N",
        help=f"in bar, how many bars later, 1 to {MAX_BARS}; kept likewise (1)",
    )
    group.add_argument(
        "--max-latency-ms",
        metavar="MS",
        help="in jam, the most that the buffer grows to; kept likewise (100)",
    )
    group.add_argument(
        "--media-port",
        metavar="PORT",
        default="0",
        help="UDP port for audio, for firewalls that want to know it (any)",
    )


def listening_options(options: argparse.Namespace, kept: Listening) -> Listening:
    """What was kept, as far as the command line says nothing else; raises InvalidValue."""
    said: dict[str, Any] = {}
    if options.profile is not None:
        said["profile"] = options.profile
    if options.bars is not None:
        said["bars"] = parse_bars(options.bars)
    if options.max_latency_ms is not None:
        said["max_latency_ms"] = parse_max_latency_ms(options.max_latency_ms)
    return msgspec.structs.replace(kept, **said)


def audio_options(options: argparse.Namespace, listening: Listening) -> AudioOptions | None:
    """What the command line says, and how the others are heard; None for MIDI only.

    Raises InvalidValue.
    """
    device = device_choice(options)
    if device is None:
        return None
    return AudioOptions(
        channels=parse_channels(options.channels),
        profile=listening.profile,
        bars=listening.bars,
        max_latency_ms=listening.max_latency_ms,
        media_port=parse_media_port(options.media_port),
        device=device,
    )


def parse_channels(text: str, option: str = "channels") -> int:
    """Read `1`, `2` or `4`."""
    if text.strip() not in {str(number) for number in CHANNELS}:
        raise InvalidValue(option, f"must be 1, 2 or 4, not {text!r}")
    return int(text)


def parse_bars(text: str, option: str = "bars") -> int:
    """Read `1` to `16`."""
    if not re.fullmatch(r"\s*\d{1,2}\s*", text, re.ASCII) or not 1 <= int(text) <= MAX_BARS:
        raise InvalidValue(option, f"must be 1 to {MAX_BARS}, not {text!r}")
    return int(text)


def parse_max_latency_ms(text: str, option: str = "max-latency-ms") -> float:
    """Read `30` or `12.5`."""
    match = re.fullmatch(r"\s*\d{1,4}(?:\.\d{1,3})?\s*", text, re.ASCII)
    if match is None or not LEAST_LATENCY_MS <= float(text) <= MOST_LATENCY_MS:
        raise InvalidValue(option, _latency_rule(repr(text)))
    return float(text)


def parse_media_port(text: str, option: str = "media-port") -> int:
    """Read `40000`; `0` is any."""
    match = re.fullmatch(r"\s*\d{1,5}\s*", text, re.ASCII)
    if match is None or (int(text) != 0 and not FIRST_PORT <= int(text) <= LAST_PORT):
        raise InvalidValue(option, _port_rule(repr(text)))
    return int(text)


def _latency_rule(given: str) -> str:
    return f"must be {LEAST_LATENCY_MS:g} to {MOST_LATENCY_MS:g} ms, not {given}"


def _port_rule(given: str) -> str:
    return f"must be {FIRST_PORT} to {LAST_PORT}, or 0 for any, not {given}"
