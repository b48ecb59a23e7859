"""What of the MIDI that members play goes out and comes in, and how the command line says it. Pure.

Every `parse_` function raises InvalidValue, which names the option and what it takes.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from midipool.errors import InvalidValue
from midipool.messages import check_name
from midipool.midi_kinds import KINDS, SYSEX, Kind, channel_of, kind_of

ALL_CHANNELS = frozenset(range(1, 17))
# SysEx may set up or wipe an instrument: it is shared by those who ask for it.
USUAL_KINDS: frozenset[Kind] = frozenset(KINDS) - {"sysex"}
MAX_BARS = 16
# A grid is a number of lines to the whole note; T are triplets, three in the place of two.
GRIDS = {
    "1/1": 1,
    "1/2": 2,
    "1/4": 4,
    "1/4T": 6,
    "1/8": 8,
    "1/8T": 12,
    "1/16": 16,
    "1/16T": 24,
    "1/32": 32,
}


@dataclass(frozen=True, slots=True)
class MidiFilter:
    """Which messages pass: those of these kinds, on these channels (1 to 16)."""

    kinds: frozenset[Kind] = USUAL_KINDS
    channels: frozenset[int] = ALL_CHANNELS

    def passes(self, data: bytes) -> bool:
        """Whether a message passes; what is no whole message never does."""
        if kind_of(data) not in self.kinds:
            return False
        channel = channel_of(data)
        return channel is None or channel in self.channels


@dataclass(frozen=True, slots=True)
class ChannelMap:
    """Moves messages to other channels: (from, to), 1 to 16; others stay where they are."""

    moves: tuple[tuple[int, int], ...] = ()

    def moved(self, data: bytes) -> bytes:
        """A message as it is on its new channel."""
        for origin, goal in self.moves:
            if data[0] < SYSEX and data[0] & 0x0F == origin - 1:
                return bytes((data[0] & 0xF0 | goal - 1,)) + data[1:]
        return data


@dataclass(frozen=True, slots=True)
class HearAs:
    """When the others' notes are played: at once, on a grid, or some bars later."""

    how: Literal["now", "grid", "bars"] = "now"
    lines: int = 16
    """Lines of the grid to a whole note."""
    bars: int = 1


@dataclass(frozen=True, slots=True)
class SharingSettings:
    """What goes out, and what comes in."""

    share: MidiFilter = MidiFilter()
    share_map: ChannelMap = ChannelMap()
    hear: MidiFilter = MidiFilter()
    hear_from: frozenset[str] | None = None
    """Names of those who are heard; None is everybody."""
    hear_map: ChannelMap = ChannelMap()
    """For those who have none of their own."""
    hear_maps: dict[str, ChannelMap] = field(default_factory=dict)
    """By the sender's name."""
    hear_as: HearAs = HearAs()

    def hears(self, name: str) -> bool:
        """Whether a member is heard at all."""
        return self.hear_from is None or name in self.hear_from


def parse_kinds(text: str, option: str = "share") -> frozenset[Kind]:
    """Read `notes,controllers`, `all` or `none`."""
    words = [word.strip().replace("-", "_") for word in text.split(",")]
    if words == ["none"]:
        return frozenset()
    if words == ["all"]:
        return frozenset(KINDS)
    for word in words:
        if word not in KINDS:
            known = ", ".join(KINDS)
            rule = f"{word!r} is none of {known}; several with commas between, or all or none"
            raise InvalidValue(option, rule)
    return frozenset(kind for kind in KINDS if kind in words)


def parse_channels(text: str, option: str = "share-channels") -> frozenset[int]:
    """Read `1-4,10`."""
    channels: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,2})(?:-(\d{1,2}))?\s*", part, re.ASCII)
        if match is None:
            raise InvalidValue(option, f"{part!r} is no channel or range such as 10 or 1-4")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= 16:
            raise InvalidValue(option, f"{part!r}: channels are 1 to 16, the lower one first")
        channels.update(range(first, last + 1))
    return frozenset(channels)


def parse_map(text: str, option: str = "map") -> ChannelMap:
    """Read `1:5,2:6`: channel 1 to 5, 2 to 6."""
    moves: dict[int, int] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,2}):(\d{1,2})\s*", part, re.ASCII)
        if match is None or not {int(match[1]), int(match[2])} <= ALL_CHANNELS:
            raise InvalidValue(option, f"{part!r} is no pair of channels (1 to 16) such as 1:5")
        if int(match[1]) in moves:
            raise InvalidValue(option, f"channel {match[1]} can go to one channel only")
        moves[int(match[1])] = int(match[2])
    return ChannelMap(tuple(moves.items()))


def parse_sender_map(text: str, option: str = "hear-map") -> tuple[str | None, ChannelMap]:
    """Read `bass=1:5,2:6`, or without a name for all others."""
    name, equals, pairs = text.rpartition("=")
    if not equals:
        return None, parse_map(text, option)
    return _name(name, option), parse_map(pairs, option)


def parse_senders(text: str, option: str = "hear-from") -> frozenset[str] | None:
    """Read `bass,keys`; `all` is everybody and `none` nobody."""
    if text.strip() == "all":
        return None
    if text.strip() == "none":
        return frozenset()
    return frozenset(_name(part, option) for part in text.split(","))


def parse_hear_as(text: str, option: str = "hear-as") -> HearAs:
    """Read `now`, `grid:1/16` or `bars:1`."""
    how, _, rest = text.partition(":")
    if how == "now" and rest == "":
        return HearAs("now")
    if how == "grid" and rest in GRIDS:
        return HearAs("grid", lines=GRIDS[rest])
    if how == "bars" and re.fullmatch(r"\d{1,2}", rest, re.ASCII) and 1 <= int(rest) <= MAX_BARS:
        return HearAs("bars", bars=int(rest))
    grids = ", ".join(GRIDS)
    rule = f"{text!r} is not now, grid:LENGTH (one of {grids}) or bars:N (1 to {MAX_BARS})"
    raise InvalidValue(option, rule)


def _name(text: str, option: str) -> str:
    try:
        return check_name(text.strip())
    except InvalidValue as error:
        raise InvalidValue(option, f"{text.strip()!r} is no member's name: {error.rule}") from None
