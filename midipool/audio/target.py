"""The buffer of `jam`: as short as the network allows, up at once, down slowly, never too high.

It wants the least that packets and period need, and on top of that the 99th percentile of the
jitter; while packets are lost, so much that the repair packets are waited for. Packets that come
too late raise it at once, unless they are few and repaired as lost ones are. It comes down when
nothing was late for a while, by 1 ms a second: what resampling then changes of the pitch, 0.1 % or
2 cents, nobody hears. Each time that this was too early it waits twice as long, so that it does
not swing.
"""

from dataclasses import dataclass

from midipool.audio.recent import Recent

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
CALM_US, MOST_CALM_US = 10_000_000, 160_000_000
FORGIVEN_US = 300_000_000
STEP_US, STEP_EVERY_US = 250, 250_000


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


@dataclass(frozen=True, slots=True)
class Limits:
    """What the buffer of one sender is held to."""

    floor_us: int
    """What packets and period need: `Encoding.lowest_us`."""
    ceiling_us: int
    """What the user allows; it gives way only to the floor."""
    packet_us: int
    repair_wait_us: int


@dataclass(frozen=True, slots=True)
class Target:
    """The buffer, and why it is so."""

    us: int
    words: str


class AdaptiveTarget:
    """The buffer for one sender. Call `update` as often as packets are counted, up to each one."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._us = self._bounded(limits.floor_us + limits.packet_us)
        self._words = "nothing was measured yet"
        self._late = Recent(LATE_WINDOW_US)
        self._loss = Recent(LOSS_WINDOW_US)
        self._late_seen = 0
        self._repairs = False
        self._calm_us = CALM_US
        self._raised_us: int | None = None
        self._calm_since_us: int | None = None
        self._stepped_us = 0
        self._falling = False

    @property
    def waits_for_repair(self) -> bool:
        """Whether so much is lost that repair packets are waited for."""
        return self._repairs

    @property
    def target(self) -> Target:
        """As it is now."""
        return Target(self._us, self._words)

    def hold_to(self, limits: Limits) -> Target:
        """Other limits: another ceiling, another period, or the sender packs otherwise."""
        floor_rises_us = limits.floor_us - self._limits.floor_us
        self._limits = limits
        self._us = self._bounded(self._us + floor_rises_us)
        return self.target

    def update(self, measured: Measured) -> Target:
        """Take what was measured; returns the buffer from now on."""
        now_us = measured.now_us
        self._late.look(now_us, measured.came, measured.late)
        self._loss.look(now_us, measured.came + measured.late, measured.lost)
        if self._calm_since_us is None:
            self._calm_since_us = now_us
        new_late, self._late_seen = measured.late - self._late_seen, measured.late
        self._repairs = self._is_lossy()
        wanted_us = self._wanted_us(measured.jitter_us)
        troubled = new_late > 0 and not self._heals_late()
        if troubled:
            self._calm_since_us = now_us
        if troubled and self._late.bad >= LATE_AT_LEAST:
            self._raise(now_us, measured.late_by_us)
        elif wanted_us > self._us:
            self._us, self._falling = wanted_us, False
            self._words = self._why(measured.jitter_us)
        else:
            self._come_down(now_us, wanted_us, measured.jitter_us)
        return self.target

    def _wanted_us(self, jitter_us: int) -> int:
        wait_us = jitter_us
        if self._repairs:
            # Hardly a block needs its last repair packet, and the one before comes a packet sooner:
            # jitter up to that costs nothing.
            repair_us = self._limits.repair_wait_us
            wait_us = max(repair_us, repair_us - self._limits.packet_us + jitter_us)
        return self._bounded(self._limits.floor_us + wait_us)

    def _heals_late(self) -> bool:
        waits = self._us >= self._limits.floor_us + self._limits.repair_wait_us
        return self._repairs and waits and self._late.share <= LATE_REPAIRED

    def _is_lossy(self) -> bool:
        if self._repairs:
            calm = self._loss.span_us >= LOSS_WINDOW_US and self._loss.share < CLEAN
            return not calm
        return self._loss.bad >= LOSS_AT_LEAST and self._loss.share >= LOSSY

    def _raise(self, now_us: int, late_by_us: int) -> None:
        before_us = self._us
        by_us = min(max(late_by_us, 0) + self._limits.packet_us // 2, MOST_RAISE_US)
        self._us = self._bounded(before_us + by_us)
        late = f"{self._late.bad} packets of the last 2 s came too late"
        if late_by_us > 0:
            late += f", by up to {_ms(late_by_us)} ms"
        if self._us == before_us:
            self._words = f"at its ceiling of {_ms(self._us)} ms: {late}"
        else:
            self._words = f"raised from {_ms(before_us)} to {_ms(self._us)} ms: {late}"
        # Too early down: wait longer the next time. What belongs to one trouble counts once.
        if self._falling:
            self._calm_us = min(2 * self._calm_us, MOST_CALM_US)
        self._falling = False
        self._raised_us = now_us

    def _come_down(self, now_us: int, wanted_us: int, jitter_us: int) -> None:
        assert self._calm_since_us is not None
        if self._raised_us is not None and now_us - self._raised_us >= FORGIVEN_US:
            self._calm_us, self._raised_us = CALM_US, None
        if now_us - self._calm_since_us < self._calm_us:
            # Why it was raised is to be read for a while.
            if self._raised_us is None or now_us - self._raised_us >= CALM_US:
                self._words = self._why(jitter_us)
            return
        if self._us - wanted_us > (0 if self._falling else self._limits.packet_us):
            if not self._falling or now_us - self._stepped_us >= STEP_EVERY_US:
                self._us = max(self._us - STEP_US, wanted_us)
                self._falling, self._stepped_us = True, now_us
            calm_s = (now_us - self._calm_since_us) // 1_000_000
            self._words = f"comes down to {_ms(wanted_us)} ms: nothing was late for {calm_s} s"
        else:
            # `_falling` stays: whatever is late from now on is so since we went so low.
            self._words = self._why(jitter_us)

    def _why(self, jitter_us: int) -> str:
        if self._limits.floor_us >= self._limits.ceiling_us:
            return f"{_ms(self._us)} ms is the least that packets and period allow"
        parts = []
        if self._repairs:
            needed_us = self._limits.floor_us + self._limits.repair_wait_us
            late = "" if self._us >= needed_us else f", which needs {_ms(needed_us)} ms"
            parts.append(f"waits for repair of {100 * self._loss.share:.0f} % loss{late}")
        if jitter_us >= 100:
            parts.append(f"jitter is {_ms(jitter_us)} ms")
        why = ", ".join(parts) or "nothing is lost or late"
        if self._us >= self._limits.ceiling_us:
            return f"at its ceiling of {_ms(self._us)} ms: {why}"
        return why

    def _bounded(self, us: int) -> int:
        limits = self._limits
        return max(limits.floor_us, min(us, limits.ceiling_us))


def _ms(us: int) -> str:
    return f"{us / 1000:.1f}"
