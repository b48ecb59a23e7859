"""How a player hears the others: profile, bars, ceiling, and the own mix."""

import msgspec

from midipool.audio.bars import check_bars
from midipool.audio.profiles import DEFAULT_PROFILE, ProfileName, profile_named
from midipool.audio.strips import Mix
from midipool.errors import InvalidValue

LEAST_LATENCY_MS, MOST_LATENCY_MS = 5.0, 1000.0


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """All that a listener chooses, and may change while playing; raises InvalidValue."""

    profile: ProfileName = DEFAULT_PROFILE
    bars: int = 1
    """How many bars later everybody is heard in `bar`."""
    max_latency_ms: float = 100.0
    """The most that the buffer of `jam` grows to."""
    mix: Mix = Mix()

    def __post_init__(self) -> None:
        profile_named(self.profile)
        check_bars(self.bars)
        check_latency_ms(self.max_latency_ms)

    def in_words(self) -> list[str]:
        """For people: a line for all, then one for each strip."""
        how: str = self.profile
        if self.profile == "bar":
            how = f"bar, {bars_in_words(self.bars)} later"
        elif self.profile == "jam":
            how = f"jam, at most {self.max_latency_ms:g} ms"
        mix = self.mix
        monitor = "off" if mix.monitor_db is None else f"{mix.monitor_db:+g} dB"
        lines = [f"profile {how}; master {mix.master_db:+g} dB; own monitor {monitor}"]
        if mix.send_mute:
            lines[0] += "; muted for the room"
        elif mix.send_db:
            lines[0] += f"; sent at {mix.send_db:+g} dB"
        if mix.send_channels is not None:
            lines[0] += f"; sent as {channels_in_words(mix.send_channels)}"
        own = sorted(mix.channels.items())
        lines += [f"  own channel {name}: {channel.in_words()}" for name, channel in own]
        return lines + [f"  {name}: {strip.in_words()}" for name, strip in mix.strips.items()]


def check_latency_ms(ms: float, field: str = "max-latency-ms") -> float:
    """The ceiling, if it is one; raises InvalidValue."""
    if not LEAST_LATENCY_MS <= ms <= MOST_LATENCY_MS:
        rule = f"must be {LEAST_LATENCY_MS:g} to {MOST_LATENCY_MS:g} ms, not {ms:g}"
        raise InvalidValue(field, rule)
    return ms


def channels_in_words(count: int) -> str:
    """`1 channel`, `2 channels`."""
    return "1 channel" if count == 1 else f"{count} channels"


def bars_in_words(bars: int) -> str:
    """`1 bar`, `2 bars`."""
    return "1 bar" if bars == 1 else f"{bars} bars"
