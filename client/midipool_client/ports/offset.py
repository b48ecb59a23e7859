"""A port's trim: everything on it comes so much later (or earlier) than its room time. Pure."""

from dataclasses import replace

from midipool.clock_map import ClockMap

# How fast a port is moved while it plays: 50 ms a second is a tempo 5 % off, without a gap or a
# burst of ticks.
MAX_RATE = 0.05
MIN_SLEW_NS = 200_000_000


class PortOffset:
    """The offset of a port, moved smoothly; positive is later."""

    def __init__(self, offset_us: float = 0.0) -> None:
        self.target_us = offset_us
        self._from_us = offset_us
        self._from_ns = self._until_ns = 0

    def set(self, offset_us: float, now_ns: int, at_once: bool = False) -> None:
        """Move to `offset_us`; at once if nothing plays that could stumble over it."""
        self._from_us = self.at(now_ns)
        self._from_ns = now_ns
        distance_us = abs(offset_us - self._from_us)
        slew_ns = max(round(distance_us * 1000 / MAX_RATE), MIN_SLEW_NS)
        self._until_ns = now_ns if at_once or distance_us == 0 else now_ns + slew_ns
        self.target_us = offset_us

    def moving(self, now_ns: int) -> bool:
        """Whether it is on its way."""
        return self._from_ns <= now_ns < self._until_ns

    def at(self, now_ns: int) -> float:
        """The offset in force, in µs."""
        if not self.moving(now_ns):
            return self.target_us
        part = (now_ns - self._from_ns) / (self._until_ns - self._from_ns)
        return self._from_us + (self.target_us - self._from_us) * part

    def map(self, room: ClockMap, now_ns: int) -> ClockMap:
        """The room's clock as this port plays it, from host time `now_ns` on.

        Good until `room` changes, or until the offset has arrived: then ask again.
        """
        if not self.moving(now_ns):
            return replace(room, room_ns=room.room_ns - round(self.target_us * 1000))
        begin_ns = room.room_at(now_ns) - round(self.at(now_ns) * 1000)
        end_ns = room.room_at(self._until_ns) - round(self.target_us * 1000)
        return ClockMap(
            local_ns=now_ns,
            room_ns=begin_ns,
            slew=(end_ns - begin_ns) / (self._until_ns - now_ns) - 1.0,
            slew_end_ns=self._until_ns,
            drift=room.drift,
        )
