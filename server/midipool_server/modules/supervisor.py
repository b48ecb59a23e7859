"""When a room's modules are started, and started again, and when they are stopped. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from midipool_server.modules.run import SECOND_US, Order, Run

# Nobody but modules is in the room any more.
IDLE_US = 10 * SECOND_US


class Sight(NamedTuple):
    """Who is connected in the room."""

    players: bool
    late: Mapping[str, int]
    """The modules that are here, and how many frames of each came too late."""


class Supervisor:
    """Is told what happens and what is asked for, and looks when `next_us` says.

    Modules come one behind the other in the order of the list, and go in the other order.
    """

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self._idle_us: int | None = None
        """Since when nobody but modules is here."""
        self._ending = self._going = False

    @property
    def alive(self) -> bool:
        """Whether any process is left."""
        return any(run.is_alive for run in self.runs.values())

    def end(self) -> None:
        """The server ends: nothing is started any more, and all go."""
        self._ending = True

    def look(self, now_us: int, sight: Sight) -> list[Order]:
        """What is to be done now."""
        orders: list[Order] = []
        for run in self.runs.values():
            orders += run.look(now_us, run.name in sight.late, sight.late.get(run.name, 0))
        if sight.players:
            self._idle_us = None
        elif self._idle_us is None:
            self._idle_us = now_us
        self._going = self._are_to_go(now_us)
        if self._going:
            return orders + self._pause(now_us)
        return orders + (self._begin(now_us) if sight.players else [])

    def exited(self, now_us: int, name: str, code: int, why: str) -> bool:
        """A process is no more; True: its module is forgotten."""
        run = self.runs.get(name)
        if run is None or run.exited(now_us, code, why):
            return False
        del self.runs[name]
        return True

    def next_us(self) -> int | None:
        """When to look again, if nothing happens."""
        times = [run.next_us() for run in self.runs.values() if run.is_alive or self._starts()]
        if self._idle_us is not None and self.alive and not self._going:
            times.append(self._idle_us + IDLE_US)
        return min((time for time in times if time is not None), default=None)

    # ---- inside ----

    def _are_to_go(self, now_us: int) -> bool:
        idle = self._idle_us is not None and now_us >= self._idle_us + IDLE_US
        return self._ending or idle

    def _starts(self) -> bool:
        """Whether one that is due is started."""
        starting = any(run.state == "starting" for run in self.runs.values())
        return self._idle_us is None and not self._ending and not starting

    def _begin(self, now_us: int) -> list[Order]:
        """The next one only when the one before is there."""
        orders: list[Order] = []
        if any(run.state == "starting" for run in self.runs.values()):
            return orders
        for run in self.runs.values():
            if run.is_due(now_us):
                return run.begin(now_us)
        return orders

    def _pause(self, now_us: int) -> list[Order]:
        """The last that was started first, and the next one when that has ended."""
        for run in reversed(self.runs.values()):
            if run.state == "ending":
                return []
            if run.is_alive:
                return run.pause(now_us)
            if run.state == "pausing":
                run.pause(now_us)
        return []
