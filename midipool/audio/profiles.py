"""Profiles: how much a listener waits, and what that asks of those whom it hears.

Each listener chooses for itself, and each sender encodes once for all of its listeners, by
`encoding_for`: the block is as short as the listener needs who waits least, and has so many repair
packets that the loss that each profile promises to heal is healed in it. Nobody waits longer
because of what another one has chosen.

What a longer block would have been better at, bursts, is then healed only as far as the short one
does: who plays over a bad line in `safe` or `bar` gains when nobody listens in `jam`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from midipool.audio.encoding import (
    MAX_BLOCK_PACKETS,
    STREAM_RATE,
    Encoding,
    check_encoding,
    most_frames,
)
from midipool.errors import InvalidValue

ProfileName = Literal["lan", "jam", "safe", "bar"]
PROFILE_NAMES: tuple[ProfileName, ...] = get_args(ProfileName)
# In a shorter packet there is more header than sound.
SHORTEST_PACKET_FRAMES = 64


@dataclass(frozen=True, slots=True)
class Profile:
    """What a listener wants."""

    name: ProfileName
    packet_frames: int
    """Packets are at most so long, and shorter where the sender's period is."""
    source_packets: int
    repair_packets: int
    """Of a block of packets of that length."""
    repairs: bool
    """Whether it takes repair packets; to one that does not they are not sent."""
    promise: tuple[float, float]
    """(loss, residual loss): at so much random loss no more than that is heard."""
    adaptive: bool
    """Whether the buffer follows what is measured."""
    margin_us: int
    """For jitter, on top of what packets and repair need."""
    cover_us: int
    """Of it, for the listener's machine: so much lies decoded, unless the profile is adaptive.
    Where it waits anyhow, in whole periods."""

    @property
    def encoding(self) -> Encoding:
        """What it asks of a sender, if nobody else listens."""
        return Encoding(self.packet_frames, self.source_packets, self.repair_packets)

    @property
    def waits(self) -> bool:
        """Whether it always waits for repair."""
        return self.repairs and not self.adaptive

    def covered_us(self, period_us: int) -> int:
        """The cover with a device of that period, which takes a whole period at once."""
        return -(-self.cover_us // period_us) * period_us if self.waits else self.cover_us

    def target_us(self, encoding: Encoding, floor_us: int, period_us: int) -> int:
        """The buffer that it begins with; it stays there unless the profile is adaptive.

        `floor_us` is what packets and the listener's device need, whose period is `period_us`. In
        `bar` it is the least that the bars must be long.
        """
        margin_us = self.margin_us + self.covered_us(period_us) - self.cover_us
        return floor_us + margin_us + (encoding.repair_wait_us if self.waits else 0)


_JAM = (128, 4, 4)  # a block of 10.7 ms: all that can be is repaired within 17.4 ms
_SAFE = (256, 18, 10)
_BAR = (256, 60, 60)
PROFILES: Mapping[ProfileName, Profile] = {
    "lan": Profile("lan", *_JAM, False, (0.0, 0.0), False, margin_us=300, cover_us=150),
    # As long as nothing is lost or late it waits for one packet more than `lan`, not for repair.
    "jam": Profile("jam", *_JAM, True, (0.05, 2e-4), True, margin_us=2_667, cover_us=1_333),
    "safe": Profile("safe", *_SAFE, True, (0.10, 2e-5), False, margin_us=20_000, cover_us=10_000),
    "bar": Profile("bar", *_BAR, True, (0.10, 1e-6), False, margin_us=50_000, cover_us=40_000),
}
DEFAULT_PROFILE: ProfileName = "jam"
# Those who hear at once: their senders' packets are not longer than the sender's period.
HURRIED: frozenset[ProfileName] = frozenset(("lan", "jam"))


def profile_named(name: str) -> Profile:
    """The profile of this name; raises InvalidValue."""
    for profile in PROFILES.values():
        if profile.name == name:
            return profile
    raise InvalidValue("profile", f"{name!r} is none of {', '.join(PROFILE_NAMES)}")


def encoding_for(
    wishes: Iterable[ProfileName], channels: int = 2, period_frames: int = 128, rate: int = 48_000
) -> Encoding:
    """What a sender sends to listeners with these profiles; without any it is what `jam` needs.

    `period_frames` and `rate` are those of the sender's device: its packets are not longer, so
    that nothing that was captured waits. Raises InvalidValue.
    """
    listeners = [PROFILES[name] for name in sorted(set(wishes))] or [PROFILES[DEFAULT_PROFILE]]
    repaired = [profile for profile in listeners if profile.repairs] or listeners
    base = min(repaired, key=lambda profile: profile.encoding.block_us)
    packet_frames = min(profile.packet_frames for profile in listeners)
    if any(profile.name in HURRIED for profile in listeners):
        period = max(period_frames * STREAM_RATE // rate, SHORTEST_PACKET_FRAMES)
        packet_frames = min(packet_frames, period)
    while packet_frames > most_frames(channels):
        packet_frames //= 2
    # In shorter packets the block is as long as before, and a burst takes no more of it.
    source = -(-base.source_packets * base.packet_frames // packet_frames)
    repair = -(-base.repair_packets * base.packet_frames // packet_frames)
    return check_encoding(_kept(packet_frames, source, repair, listeners), channels)


def wants_repair(profile: ProfileName) -> bool:
    """Whether repair packets are sent to a listener with this profile."""
    return PROFILES[profile].repairs


def _kept(packet_frames: int, source: int, repair: int, listeners: list[Profile]) -> Encoding:
    """The first encoding, from `repair` packets on, that keeps what the profiles promise."""
    source = min(source, MAX_BLOCK_PACKETS // 2)
    most = MAX_BLOCK_PACKETS - source
    for number in range(min(repair, most), most):
        encoding = Encoding(packet_frames, source, number)
        if all(encoding.residual_loss(p.promise[0]) <= p.promise[1] for p in listeners):
            return encoding
    return Encoding(packet_frames, source, most)
