"""How often the room's clock is asked. Pure."""

from dataclasses import dataclass

BURST_PROBES = 20
BURST_NS = 15_000_000
EAGER_NS = 50_000_000
EAGER_FOR_NS = 12_000_000_000
STEADY_NS = 100_000_000
# Where hardly anything varies: one for each of the clock estimate's buckets.
CALM_NS, CALM_JITTER_NS = 250_000_000, 200_000
UDP_SILENT_NS = 1_000_000_000
UDP_SILENT_AT_FIRST_NS = 400_000_000


@dataclass(slots=True)
class ProbeSchedule:
    """A burst on joining, then twenty a second for some seconds, then ten; four on a calm link."""

    started_ns: int
    by_udp: bool = True
    """Whether the server has a UDP port for probes at all."""
    sent: int = 0
    udp_answered_ns: int | None = None
    _before_ns: int = 0
    """When the last but one was sent."""

    def next_after(self, now_ns: int, jitter_ns: int | None = None) -> int:
        """Host time of the probe after the one sent at `now_ns`, on a link with this jitter."""
        self.sent += 1
        before_ns, self._before_ns = self._before_ns, now_ns
        if self.sent < BURST_PROBES:
            return now_ns + BURST_NS
        if now_ns - self.started_ns < EAGER_FOR_NS:
            return now_ns + EAGER_NS
        answered = self.udp_answered_ns is not None and self.udp_answered_ns >= before_ns
        calm = answered and jitter_ns is not None and jitter_ns < CALM_JITTER_NS
        return now_ns + (CALM_NS if calm else STEADY_NS)

    def udp_answers(self, now_ns: int) -> bool:
        """Whether UDP gets through, so that the WebSocket need not carry probes."""
        if not self.by_udp:
            return False
        if self.udp_answered_ns is None:
            return now_ns - self.started_ns < UDP_SILENT_AT_FIRST_NS
        return now_ns - self.udp_answered_ns < UDP_SILENT_NS
