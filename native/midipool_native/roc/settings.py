"""How an encoder and a decoder are set, checked before libroc sees it: at some values it aborts,
at others it stays silent without a word. Pure."""

from dataclasses import dataclass

from midipool.errors import InvalidValue

RATES_HZ = (44_100, 48_000, 88_200, 96_000)
CHANNELS = (1, 2, 4)
LARGEST_PACKET_BYTES = 2048
# RTP's header and the footer of Reed-Solomon.
_OVERHEAD_BYTES = 12 + 8
_SAMPLE_BYTES = 2
_LEAST_PACKET_FRAMES = 16
_MOST_BLOCK_PACKETS = 255
_MOST_LATENCY_US = 300_000_000
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Fec:
    """Reed-Solomon over blocks: of source + repair packets any `source_packets` are enough."""

    source_packets: int = 8
    repair_packets: int = 4

    def __post_init__(self) -> None:
        """Raises InvalidValue."""
        _within("source_packets", self.source_packets, 1, _MOST_BLOCK_PACKETS - 1)
        _within("repair_packets", self.repair_packets, 1, _MOST_BLOCK_PACKETS - 1)
        if self.source_packets + self.repair_packets > _MOST_BLOCK_PACKETS:
            rule = f"source_packets + repair_packets is at most {_MOST_BLOCK_PACKETS}"
            raise InvalidValue("repair_packets", rule)


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """16 bits a sample on the wire, at the rate and with the channels of the frames pushed.

    With `control` RTCP is made and taken, for programs that are not midiPool: ours count loss,
    jitter and latency by themselves. `wire_channels` sends fewer than are pushed: of two, one is
    their mean; of four, the first ones.
    """

    rate_hz: int = 48_000
    channels: int = 2
    packet_frames: int = 120
    fec: Fec | None = None
    control: bool = False
    wire_channels: int | None = None

    def __post_init__(self) -> None:
        """Raises InvalidValue."""
        _check_format(self.rate_hz, self.channels)
        _check_format(self.rate_hz, self.sent_channels)
        room = (LARGEST_PACKET_BYTES - _OVERHEAD_BYTES) // (_SAMPLE_BYTES * self.sent_channels)
        _within("packet_frames", self.packet_frames, _LEAST_PACKET_FRAMES, room)

    @property
    def sent_channels(self) -> int:
        """Those in packets."""
        return self.channels if self.wire_channels is None else self.wire_channels


@dataclass(frozen=True, slots=True)
class DecoderSettings:
    """`fec` says whether the sender repairs; its block sizes are read from the packets.

    A sender of another rate or number of channels is converted to `rate_hz` and `channels`.
    Without the tuner the latency stays at what it began with; `gradual` resamples to hold it.
    `no_playback_timeout_us` is how long there may be nothing to play before the session ends (the
    next packet begins a new one), `latency_tolerance_us` how far the latency may be off the target.
    `control` as for the encoder.
    """

    rate_hz: int = 48_000
    channels: int = 2
    fec: bool = False
    target_latency_us: int = 20_000
    latency_tolerance_us: int = 2 * _SECOND_US
    no_playback_timeout_us: int = 2 * _SECOND_US
    tuner: str = "intact"
    resampler: str = "low"
    control: bool = False

    def __post_init__(self) -> None:
        """Raises InvalidValue."""
        _check_format(self.rate_hz, self.channels)
        for field in ("target_latency_us", "latency_tolerance_us", "no_playback_timeout_us"):
            _within(field, getattr(self, field), 1, _MOST_LATENCY_US)
        _one_of("tuner", self.tuner, ("intact", "gradual"))
        _one_of("resampler", self.resampler, ("low", "medium", "high"))


def payload_type(rate_hz: int, channels: int) -> int:
    """RTP's number for 16 bits at this rate: RFC 3551's, else one of ours, the same everywhere."""
    standard = {(44_100, 2): 10, (44_100, 1): 11}
    ours = 96 + RATES_HZ.index(rate_hz) * len(CHANNELS) + CHANNELS.index(channels)
    return standard.get((rate_hz, channels), ours)


def _check_format(rate_hz: int, channels: int) -> None:
    _one_of("rate_hz", rate_hz, RATES_HZ)
    _one_of("channels", channels, CHANNELS)


def _within(field: str, value: int, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidValue(field, f"{value!r} is not a whole number from {least} to {most}")


def _one_of(field: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        raise InvalidValue(field, f"{value!r} is none of {', '.join(map(str, known))}")
