"""A player's own mix: a strip for each of the others, the sum of them, and one's own input."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from midipool.audio.encoding import CHANNELS
from midipool.errors import InvalidValue

LEAST_DB, MOST_DB = -90.0, 18.0
MOST_CHANNELS = 4
CHANNEL_NAMES = frozenset(str(number) for number in range(1, MOST_CHANNELS + 1))


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """How loud one other member is, and where; raises InvalidValue."""

    gain_db: float = 0.0
    pan: float = 0.0
    """-1 is left, 1 is right."""
    mute: bool = False
    solo: bool = False
    """Who is soloed silences all who are not."""

    def __post_init__(self) -> None:
        check_db("gain", self.gain_db)
        check_pan(self.pan)

    @property
    def gain(self) -> float:
        """As a factor."""
        return factor(self.gain_db)

    def in_words(self) -> str:
        """For people."""
        words = [f"{self.gain_db:+g} dB" if self.gain_db else "0 dB"]
        if self.pan:
            words.append(f"pan {self.pan:+g}")
        words += ["muted"] * self.mute + ["solo"] * self.solo
        return ", ".join(words)


class OwnChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel of one's own input: for the room and in the own mix; raises InvalidValue."""

    gain_db: float = 0.0
    """As it is sent, and monitored."""
    pan: float | None = None
    """In the own mix of two channels: -1 is left, 1 is right; None is where it lies by itself."""
    mute: bool = False
    """Whether the room gets silence of it; one's own monitor is as before."""
    solo: bool = False
    """In the own mix, while it is monitored; the room does not notice."""

    def __post_init__(self) -> None:
        check_db("gain", self.gain_db)
        if self.pan is not None:
            check_pan(self.pan)

    @property
    def gain(self) -> float:
        """As a factor."""
        return factor(self.gain_db)

    def in_words(self) -> str:
        """For people."""
        words = [f"{self.gain_db:+g} dB" if self.gain_db else "0 dB"]
        if self.pan is not None:
            words.append(f"pan {self.pan:+g}")
        words += ["muted for the room"] * self.mute + ["solo"] * self.solo
        return ", ".join(words)

    def pan_of(self, channel: int, channels: int) -> float:
        """Where it is in the own mix; alone in the middle, else left and right in turn."""
        if self.pan is not None:
            return self.pan
        return 0.0 if channels == 1 else -1.0 if channel % 2 else 1.0


class Heard(NamedTuple):
    """Who sounds in a mix."""

    members: set[str]
    channels: set[int]
    """One's own, from 1 on."""


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """All strips, by member. Who comes back has its strip again; raises InvalidValue."""

    master_db: float = 0.0
    monitor_db: float | None = None
    """How loud one's own input is in the own mix; None is off."""
    send_db: float = 0.0
    """How loud one's own input is sent to the room."""
    send_mute: bool = False
    """Whether the room gets silence; one's own monitor is as before."""
    send_channels: int | None = None
    """How many channels the room gets: fewer than there are; None is all of them."""
    strips: Mapping[str, Strip] = {}
    channels: Mapping[str, OwnChannel] = {}
    """One's own, by number from `1` on."""

    def __post_init__(self) -> None:
        check_db("master", self.master_db)
        check_db("send", self.send_db)
        if self.monitor_db is not None:
            check_db("monitor", self.monitor_db)
        if self.send_channels is not None:
            check_send_channels(self.send_channels)
        for name in self.channels:
            check_channel(name)

    def strip_of(self, member: str) -> Strip:
        """A member's; as it comes for those for whom nothing was set."""
        return self.strips.get(member, _PLAIN)

    def channel(self, number: int) -> OwnChannel:
        """One's own, from 1 on."""
        return self.channels.get(str(number), _PLAIN_CHANNEL)

    def with_strip(self, member: str, strip: Strip) -> "Mix":
        """What it is with another strip; one that is as it comes is not kept."""
        strips = {name: kept for name, kept in self.strips.items() if name != member}
        if strip != _PLAIN:
            strips[member] = strip
        return msgspec.structs.replace(self, strips=strips)

    def with_channel(self, number: int, channel: OwnChannel) -> "Mix":
        """The same for a channel of one's own; raises InvalidValue."""
        name = check_channel(str(number))
        channels = {other: kept for other, kept in self.channels.items() if other != name}
        if channel != _PLAIN_CHANNEL:
            channels[name] = channel
        return msgspec.structs.replace(self, channels=channels)

    @property
    def master(self) -> float:
        """As a factor."""
        return factor(self.master_db)

    @property
    def monitor(self) -> float:
        """As a factor."""
        return 0.0 if self.monitor_db is None else factor(self.monitor_db)

    @property
    def send(self) -> float:
        """As a factor; 0 while muted."""
        return 0.0 if self.send_mute else factor(self.send_db)

    def heard(self, members: Iterable[str], channels: int) -> Heard:
        """Who sounds in the own mix, by mute and solo of all who are there."""
        strips = {member: self.strip_of(member) for member in members}
        own = {number: self.channel(number) for number in range(1, channels + 1)}
        monitored = self.monitor_db is not None
        soloed = any(strip.solo for strip in strips.values())
        soloed = soloed or (monitored and any(channel.solo for channel in own.values()))
        return Heard(
            {name for name, s in strips.items() if not s.mute and (s.solo or not soloed)},
            {number for number, c in own.items() if monitored and (c.solo or not soloed)},
        )


def check_send_channels(count: int) -> int:
    """How many channels are sent, if so many can be; raises InvalidValue."""
    if count not in CHANNELS:
        raise InvalidValue("send_channels", f"must be 1, 2 or 4, not {count}")
    return count


def check_channel(name: str) -> str:
    """A channel's number, if it is one; raises InvalidValue."""
    if name not in CHANNEL_NAMES:
        raise InvalidValue("channel", f"must be 1 to {MOST_CHANNELS}, not {name}")
    return name


def check_pan(pan: float) -> float:
    """The pan, if it is one; raises InvalidValue."""
    if not -1.0 <= pan <= 1.0:
        raise InvalidValue("pan", f"must be -1 (left) to 1 (right), not {pan:g}")
    return pan


def check_db(field: str, db: float) -> float:
    """The gain, if it is one; raises InvalidValue."""
    if not LEAST_DB <= db <= MOST_DB:
        raise InvalidValue(field, f"must be {LEAST_DB:g} to {MOST_DB:g} dB, not {db:g}")
    return db


def factor(db: float) -> float:
    """Decibels as a factor."""
    return float(10 ** (db / 20))


_PLAIN = Strip()
_PLAIN_CHANNEL = OwnChannel()
