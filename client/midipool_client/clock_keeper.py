"""Keeps the room's clock: probes in, a steered map out; other clocks and sleep included. Pure."""

from dataclasses import dataclass

from midipool.clock_map import ClockMap
from midipool.clock_steering import ClockSteering
from midipool.clock_sync import ClockEstimate, ClockSync, ProbeSample

ENOUGH_SAMPLES = 12
# A step of more than this loses the device's place; less is caught up with tick by tick.
LOST_STEP_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class ClockChange:
    """What a probe, or a sleep, did to the clock."""

    map: ClockMap
    shift_us: int = 0
    """By how much room times must be rewritten because another clock counts them now."""
    lost: bool = False
    """The clock jumped so far that what was sent to the device is off."""


class ClockKeeper:
    """The clock of the room that we are in, and of the one we are coming to.

    With a new `clock_id` the old clock goes on until the new one is measured; then room times are
    rewritten, and the phase stays.
    """

    def __init__(self) -> None:
        self.clock_id: str | None = None
        self.estimate: ClockEstimate | None = None
        self._sync = ClockSync()
        self._steering = ClockSteering()
        self._next_id: str | None = None
        self._next_sync: ClockSync | None = None

    @property
    def map(self) -> ClockMap | None:
        """Host time to room time; None until the first clock was measured."""
        return self._steering.map

    @property
    def measuring(self) -> bool:
        """Whether a clock that we were told of is not known well enough yet."""
        return self._next_sync is not None

    def use_clock(self, clock_id: str) -> None:
        """The room's clock is called `clock_id` from now on."""
        if clock_id == self.clock_id:
            self._next_id = self._next_sync = None
        elif clock_id != self._next_id:
            self._next_id, self._next_sync = clock_id, ClockSync()

    def forget(self) -> None:
        """Measure anew, because probes go another way now; the map stays until then."""
        self._sync.forget()
        if self._next_sync is not None:
            self._next_sync.forget()

    def add(self, sample: ProbeSample, now_ns: int) -> ClockChange | None:
        """Take a probe of the clock last named; the new map if there is one."""
        if self._next_sync is None:
            self._sync.add(sample)
            return self._steer(now_ns)
        self._next_sync.add(sample)
        if self._next_sync.samples < ENOUGH_SAMPLES:
            return None
        return self._switch(self._next_sync, now_ns)

    def slept(self, asleep_ns: int, now_ns: int) -> ClockChange | None:
        """This machine slept for `asleep_ns`, while the room's clock went on."""
        self.forget()
        self._steering.shift(asleep_ns)
        return ClockChange(self._steering.map, lost=True) if self._steering.map else None

    def room_us(self, now_ns: int) -> int | None:
        """Room time, in µs, at host time `now_ns`."""
        return self.map.room_at(now_ns) // 1000 if self.map is not None else None

    def _steer(self, now_ns: int) -> ClockChange | None:
        self.estimate = self._sync.estimate(now_ns)
        if self.estimate is None:
            return None
        before = self.map
        map = self._steering.update(self.estimate, now_ns)
        step_ns = 0 if before is None else map.room_at(now_ns) - before.room_at(now_ns)
        return ClockChange(map, lost=abs(step_ns) > LOST_STEP_NS)

    def _switch(self, sync: ClockSync, now_ns: int) -> ClockChange | None:
        before = self.map
        self.clock_id, self._sync = self._next_id, sync
        self._next_id = self._next_sync = None
        self._steering = ClockSteering()
        change = self._steer(now_ns)
        if change is None or before is None:
            return change
        shift_ns = change.map.room_at(now_ns) - before.room_at(now_ns)
        return ClockChange(change.map, shift_us=round(shift_ns / 1000))
