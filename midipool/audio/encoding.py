"""How a sender cuts its sound into packets and protects them: blocks of Reed-Solomon code.

All streams have 48 kHz and 16 bits, and all are coded with RS8M: source packets go out at once and
as they are, so that whoever takes no repair packets waits for nothing (measured: libroc plays RS8M
source packets alone with the same lag as plain ones). A block's repair packets are spread over the
time of the next block, half way between its source packets, since one burst would take both.
"""

from dataclasses import dataclass
from math import comb, gcd

from midipool.errors import InvalidValue

STREAM_RATE = 48_000
SAMPLE_BYTES = 2
ROC_HEADER_BYTES = 18
"""RTP's 12 and RS8M's 6."""
MAX_PACKET_BYTES = 1434
"""What fits into one sealed datagram of 1,500 bytes; libroc itself would be silent over 2,048."""
MAX_BLOCK_PACKETS = 255
"""Of RS8M, source and repair packets together."""
CHANNELS = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Encoding:
    """A sender's packets: frames in each, and source and repair packets in a block."""

    packet_frames: int
    source_packets: int
    repair_packets: int

    @property
    def packet_us(self) -> int:
        """Length of one packet, rounded up."""
        return frames_us(self.packet_frames)

    @property
    def packet_ns(self) -> int:
        """Length of one packet, rounded to the nearest ns: libroc makes the same frames of it."""
        return (self.packet_frames * 10**9 + STREAM_RATE // 2) // STREAM_RATE

    @property
    def block_us(self) -> int:
        """Length of the sound in one block, rounded up."""
        return frames_us(self.packet_frames * self.source_packets)

    @property
    def repair_wait_us(self) -> int:
        """From a block's first packet to its last repair packet: so long a listener must wait
        for everything to be repaired that can be."""
        first_to_last = frames_us(self.packet_frames * (self.source_packets - 1))
        return first_to_last + self.repair_due_us(self.repair_packets - 1)

    def repair_due_us(self, index: int) -> int:
        """When repair packet `index` (from 0) leaves, after the block's last source packet."""
        return self.block_us * (2 * index + 1) // (2 * self.repair_packets)

    def residual_loss(self, loss: float) -> float:
        """Share of source packets that stay lost when `loss` (0 to 1) of all are, at random."""
        packets = self.source_packets + self.repair_packets
        # Of `lost` packets of a block as many as repair packets can be missed.
        return sum(
            comb(packets, lost) * loss**lost * (1 - loss) ** (packets - lost) * lost / packets
            for lost in range(self.repair_packets + 1, packets + 1)
        )

    def lowest_us(self, period_frames: int, rate: int) -> int:
        """Least buffer with which a device of that period, in frames at `rate`, never runs dry.

        Packets and periods that are multiples of one another cost the longer one. Else both meet
        in every phase.
        """
        if rate != STREAM_RATE:
            return self.packet_us + -(-period_frames * 10**6 // rate)
        shared = gcd(self.packet_frames, period_frames)
        return frames_us(self.packet_frames + period_frames - shared)

    def bunched_us(self, period_us: int) -> int:
        """How much less than the last one the first of the packets waits that leave together, once
        in each period of the sender's device."""
        period_frames = round(period_us * STREAM_RATE / 10**6)
        return frames_us(max(period_frames - gcd(self.packet_frames, period_frames), 0))


def frames_us(frames: int) -> int:
    """Length of some frames of a stream, rounded up."""
    return -(-frames * 10**6 // STREAM_RATE)


def most_frames(channels: int) -> int:
    """How many frames one datagram can carry."""
    return (MAX_PACKET_BYTES - ROC_HEADER_BYTES) // (SAMPLE_BYTES * channels)


def check_encoding(encoding: Encoding, channels: int) -> Encoding:
    """The encoding, if libroc and a datagram can carry it; raises InvalidValue."""
    if channels not in CHANNELS:
        raise InvalidValue("channels", f"must be 1, 2 or 4, not {channels}")
    if not 1 <= encoding.packet_frames <= most_frames(channels):
        rule = f"{channels} channels leave room for 1 to {most_frames(channels)} frames a packet"
        raise InvalidValue("packet_frames", f"{rule}, not {encoding.packet_frames}")
    if encoding.source_packets < 1 or encoding.repair_packets < 1:
        raise InvalidValue("source_packets", "a block has at least one source and repair packet")
    packets = encoding.source_packets + encoding.repair_packets
    if packets > MAX_BLOCK_PACKETS:
        raise InvalidValue("source_packets", f"a block has at most 255 packets, not {packets}")
    return encoding
