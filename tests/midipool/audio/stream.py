"""A stream of packets over one of the test networks, and a buffer that plays them."""

import heapq
import random
from dataclasses import dataclass, field
from itertools import pairwise

from midipool.audio.profiles import encoding_for
from midipool.audio.target import AdaptiveTarget, Limits, Measured, Target
from midipool.audio.transit import TransitWindow
from tests.midipool.networks import Delay

ENCODING = encoding_for(["jam"])
SECOND = 1_000_000


def limits(ceiling_ms: float = 100) -> Limits:
    return Limits(
        floor_us=ENCODING.lowest_us(128, 48_000),
        ceiling_us=round(ceiling_ms * 1000),
        packet_us=ENCODING.packet_us,
        repair_wait_us=ENCODING.repair_wait_us,
        period_us=2_667,
    )


@dataclass
class Played:
    """What became of a stream."""

    sent: int = 0
    late: list[int] = field(default_factory=list)
    """When a late packet was sent."""
    lost: list[int] = field(default_factory=list)
    """When a packet was sent that never came."""
    targets: list[tuple[int, Target]] = field(default_factory=list)
    """(room µs, buffer), at each change."""

    def late_share(self, from_s: float = 0, to_s: float = float("inf")) -> float:
        per_s = SECOND / ENCODING.packet_us
        end_s = min(to_s, self.sent / per_s)
        late = [us for us in self.late if from_s * SECOND <= us < end_s * SECOND]
        return len(late) / ((end_s - from_s) * per_s)

    def target_ms(self, at_s: float) -> float:
        return [target.us for us, target in self.targets if us <= at_s * SECOND][-1] / 1000

    def words(self) -> set[str]:
        return {target.words for _, target in self.targets}

    def raises(self, from_s: float = 0) -> int:
        """How often the buffer began to grow again after it had become less."""
        values = [t.us for us, t in self.targets if us >= from_s * SECOND]
        ways = [b > a for a, b in pairwise(values) if a != b]
        return sum(up and not before for before, up in zip([False, *ways[:-1]], ways, strict=True))


def play(delay: Delay, seconds: float, ceiling_ms: float = 100, seed: int = 1) -> Played:
    """Play a stream of `seconds`. Nothing waits: all times are room µs from 0 on.

    A packet is played `target` after the shortest transit of the window; one that comes later is
    late. It is looked at whenever a packet comes.
    """
    rng, played = random.Random(seed), Played()
    control, window = AdaptiveTarget(limits(ceiling_ms)), TransitWindow()
    played.targets.append((0, control.target))
    coming: list[tuple[int, int]] = []
    came = late = 0
    for sent_us in range(0, round(seconds * SECOND), ENCODING.packet_us):
        played.sent += 1
        delay_ns = delay(rng, sent_us * 1000)
        if delay_ns is None:
            played.lost.append(sent_us)
        else:
            heapq.heappush(coming, (sent_us + round(delay_ns / 1000), sent_us))
        while coming and coming[0][0] <= sent_us:
            received_us, its_us = heapq.heappop(coming)
            window.add(its_us, received_us)
            least_us = window.least_us or 0
            late_by_us = received_us - (its_us + least_us + control.target.us)
            came, late = came + (late_by_us <= 0), late + (late_by_us > 0)
            if late_by_us > 0:
                played.late.append(its_us)
            before = control.target
            jitter_us, lost = window.jitter_us(), len(played.lost)
            measured = Measured(received_us, came, late, lost, max(late_by_us, 0), jitter_us)
            if control.update(measured) != before:
                played.targets.append((received_us, control.target))
    return played
