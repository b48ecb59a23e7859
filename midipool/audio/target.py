"""The buffer of `jam`: as short as network and machine allow, up at once, down slowly.

It is the least that packets and period need, and two reserves on top of it. The one is for the
network: the 99th percentile of the jitter and, while packets are lost, so much that the repair
packets are waited for. Packets that come too late raise it at once, unless they are few and
repaired as lost ones are. The other is the cover, for the listener's own machine: so much lies
decoded for the case that the system comes late.
"""

from dataclasses import dataclass

from midipool.audio.cover import Cover
from midipool.audio.recent import Recent
from midipool.audio.reserve import Reserve

LATE_WINDOW_US = 2_000_000
LATE_AT_LEAST = 2
"""One late packet is no network: two within the window raise the buffer."""
MOST_RAISE_US = 20_000
LATE_REPAIRED = 0.01
"""Up to this share of late packets is healed with the lost ones where repair is waited for."""
LOSS_WINDOW_US = 10_000_000
LOSS_AT_LEAST = 3
LOSSY, CLEAN = 0.003, 0.001
"""Loss at which repair is waited for, and below which it is not any more."""
CALM_US = 10_000_000


@dataclass(frozen=True, slots=True)
class Measured:
    """What was counted of one sender's source packets up to room time `now_us`."""

    now_us: int
    came: int
    """In time."""
    late: int
    """After they should have been played."""
    lost: int
    """Not at all, or not yet when a later one came; before repair."""
    late_by_us: int = 0
    """How much too late the latest of those since the last time was."""
    jitter_us: int = 0
    """99th percentile of the transit above the least."""
    cover_used_us: int = 0
    """So much of what lay decoded was needed since the last time, at most, or would have been."""
    xruns: int = 0
    """Of the sound device: what else goes wrong near one is no fault of the buffer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the buffer of one sender is held to."""

    floor_us: int
    """What packets and period need: `Encoding.lowest_us`."""
    ceiling_us: int
    """What the user allows; it gives way only to the floor."""
    packet_us: int
    repair_wait_us: int
    period_us: int
    """Of the listener's device."""


@dataclass(frozen=True, slots=True)
class Target:
    """The buffer, and why it is so."""

    us: int
    words: str
    cover_us: int = 0
    """Of it, for the listener's own machine."""


class AdaptiveTarget:
    """The buffer for one sender. Call `update` as often as packets are counted, up to each one."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._network = Reserve(_half(limits), _half(limits), CALM_US)
        self._cover = Cover(_half(limits), limits.period_us)
        self._words = "nothing was measured yet"
        self._late = Recent(LATE_WINDOW_US)
        self._loss = Recent(LOSS_WINDOW_US)
        self._repairs = False
        self._late_seen = 0

    @property
    def waits_for_repair(self) -> bool:
        """Whether so much is lost that repair packets are waited for."""
        return self._repairs

    @property
    def target(self) -> Target:
        """As it is now; under a low ceiling it is the cover that gives way."""
        limits = self._limits
        # What waits for repair lies there anyhow.
        cover_us = self._cover.us - (_half(limits) if self._repairs else 0)
        us = self._bounded(limits.floor_us + self._network.us + cover_us)
        room_us = max(us - limits.floor_us - self._network.us, 0)
        return Target(us, self._words, min(cover_us, room_us))

    def hold_to(self, limits: Limits) -> Target:
        """Other limits: another ceiling, another period, or the sender packs otherwise."""
        self._limits = limits
        self._cover.period_us = limits.period_us
        return self.target

    def update(self, measured: Measured) -> Target:
        """Take what was measured; returns the buffer from now on."""
        now_us = measured.now_us
        self._late.look(now_us, measured.came, measured.late)
        self._loss.look(now_us, measured.came + measured.late, measured.lost)
        new_late, self._late_seen = measured.late - self._late_seen, measured.late
        self._wait_for_repair(self._is_lossy())
        wanted_us = self._wanted_us(measured.jitter_us)
        self._cover.look(now_us, measured.cover_used_us, measured.xruns)
        excused = self._heals_late() or self._cover.near_xrun(now_us)
        troubled = new_late > 0 and not excused
        if troubled:
            self._network.trouble(now_us)
        if troubled and self._late.bad >= LATE_AT_LEAST:
            self._raise_network(measured)
        elif wanted_us > self._network.us:
            self._network.rise_to(wanted_us)
            self._words = self._why(measured.jitter_us)
        else:
            self._come_down(now_us, wanted_us, measured.jitter_us)
        return self.target

    def _wanted_us(self, jitter_us: int) -> int:
        limits = self._limits
        wait_us = max(jitter_us, _half(limits))
        if self._repairs:
            # Hardly a block needs its last repair packet, and the one before comes a packet sooner:
            # jitter up to that costs nothing.
            wait_us = limits.repair_wait_us + max(0, jitter_us - limits.packet_us)
        return max(0, min(wait_us, self._network_room_us))

    @property
    def _network_room_us(self) -> int:
        return max(self._limits.ceiling_us - self._limits.floor_us, 0)

    def _wait_for_repair(self, repairs: bool) -> None:
        if repairs and not self._repairs:
            self._network.us += _half(self._limits)  # what the cover gives
        self._repairs = repairs

    def _heals_late(self) -> bool:
        waits = self._network.us >= self._limits.repair_wait_us
        return self._repairs and waits and self._late.share <= LATE_REPAIRED

    def _is_lossy(self) -> bool:
        if self._repairs:
            calm = self._loss.span_us >= LOSS_WINDOW_US and self._loss.share < CLEAN
            return not calm
        return self._loss.bad >= LOSS_AT_LEAST and self._loss.share >= LOSSY

    def _raise_network(self, measured: Measured) -> None:
        before_us, late_by_us = self.target.us, measured.late_by_us
        by_us = min(max(late_by_us, 0) + _half(self._limits), MOST_RAISE_US)
        self._network.raise_by(by_us, measured.now_us, self._network_room_us)
        late = f"{self._late.bad} packets of the last 2 s came too late"
        if late_by_us > 0:
            late += f", by up to {_ms(late_by_us)} ms"
        us = self.target.us
        if us == before_us:
            self._words = f"at its ceiling of {_ms(us)} ms: {late}"
        else:
            self._words = f"raised from {_ms(before_us)} to {_ms(us)} ms: {late}"

    def _come_down(self, now_us: int, wanted_us: int, jitter_us: int) -> None:
        if self._network.come_down(wanted_us, now_us):
            calm = f"nothing was late for {self._network.calm_s(now_us)} s"
            self._words = f"comes down from {_ms(self.target.us)} ms: {calm}"
        elif not self._network.was_raised_within(CALM_US, now_us):
            # Why it was raised is to be read for a while.
            self._words = self._why(jitter_us)

    def _why(self, jitter_us: int) -> str:
        if self._limits.floor_us >= self._limits.ceiling_us:
            return f"{_ms(self.target.us)} ms is the least that packets and period allow"
        parts = []
        if self._repairs:
            needed_us = self._limits.floor_us + self._limits.repair_wait_us
            late = "" if self.target.us >= needed_us else f", which needs {_ms(needed_us)} ms"
            parts.append(f"waits for repair of {100 * self._loss.share:.0f} % loss{late}")
        if jitter_us >= 100:
            parts.append(f"jitter is {_ms(jitter_us)} ms")
        if self._cover.us > self._cover.least_us:
            parts.append(f"{_ms(self._cover.us)} ms lie ready, as this machine comes late at times")
        why = ", ".join(parts) or "nothing is lost or late"
        if self.target.us >= self._limits.ceiling_us:
            return f"at its ceiling of {_ms(self.target.us)} ms: {why}"
        return why

    def _bounded(self, us: int) -> int:
        return max(self._limits.floor_us, min(us, self._limits.ceiling_us))


def _half(limits: Limits) -> int:
    return -(-limits.packet_us // 2)


def _ms(us: int) -> str:
    return f"{us / 1000:.1f}"
