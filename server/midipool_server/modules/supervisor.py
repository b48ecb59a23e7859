"""When modules are started, started again, given up and stopped. Pure: `now_s` in, orders out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from midipool_server.modules.specs import ModuleSpec

State = Literal["waiting", "starting", "running", "stopping", "ended", "given up"]
Do = Literal["start", "end", "kill"]

JOIN_S, LOST_S, GRACE_S = 20.0, 10.0, 3.0
# Nobody but modules is in the room any more.
IDLE_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
MOST_FAILURES, WINDOW_S = 5, 120.0


class Key(NamedTuple):
    """A module of a room."""

    room: str
    name: str


class Order(NamedTuple):
    """What is to be done."""

    do: Do
    key: Key


class Sight(NamedTuple):
    """Who is connected in a room."""

    players: bool
    modules: frozenset[str]


@dataclass(slots=True)
class Run:
    """How one module does."""

    state: State = "waiting"
    since_s: float = 0.0
    """When it came to that state, or was seen last while it runs."""
    next_s: float = 0.0
    failures: list[float] = field(default_factory=list)
    restarts: int = 0
    why: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether there is a process."""
        return self.state in ("starting", "running", "stopping")

    def become(self, state: State, now_s: float) -> None:
        """Another state."""
        self.state, self.since_s = state, now_s


class Supervisor:
    """Looks now and then, and is told when a process ends."""

    def __init__(self, specs: Mapping[str, ModuleSpec]) -> None:
        self._specs = specs
        self._runs: dict[Key, Run] = {}
        self._idle_s: dict[str, float] = {}
        """Since when nobody but modules is in a room."""

    def look(self, now_s: float, rooms: Mapping[str, Sight]) -> list[Order]:
        """What is to be done now."""
        known = {key.room for key in self._runs}
        orders: list[Order] = []
        for room in [*rooms, *(known - rooms.keys())]:
            sight = rooms.get(room, Sight(False, frozenset()))
            orders += self._look(now_s, room, sight)
        return orders

    def stop_all(self, now_s: float) -> list[Order]:
        """The server ends: as `look` in rooms that all have left long ago."""
        self._idle_s = {key.room: now_s - IDLE_S for key in self._runs}
        return self.look(now_s, {})

    def exited(self, now_s: float, key: Key, code: int, why: str) -> None:
        """A process is no more; `why` is the last that it said."""
        run = self._runs[key]
        if run.state == "stopping":
            del self._runs[key]
            return
        text = f"it ended with code {code}" + (f": {why}" if why else "")
        run.why = run.why if run.state == "starting" and run.why else text
        policy = self._specs[key.name].restart
        if policy == "never" or (policy == "on-failure" and code == 0):
            run.become("ended", now_s)
            return
        run.failures = [at for at in run.failures if now_s - at < WINDOW_S] + [now_s]
        if len(run.failures) >= MOST_FAILURES:
            run.become("given up", now_s)
            return
        pause_s = FIRST_PAUSE_S * 2 ** (len(run.failures) - 1)
        run.next_s = now_s + min(pause_s, LONGEST_PAUSE_S)
        run.restarts += 1
        run.become("waiting", now_s)

    def describe(self, room: str) -> list[dict[str, object]]:
        """A room's modules in JSON's terms."""
        return [
            {
                "name": key.name,
                "state": run.state,
                "restarts": run.restarts,
                "degraded": run.state in ("given up", "waiting") or bool(run.failures),
                "why": run.why,
            }
            for key, run in self._runs.items()
            if key.room == room
        ]

    @property
    def alive(self) -> bool:
        """Whether any process is left."""
        return any(run.is_alive for run in self._runs.values())

    # ---- inside ----

    def _look(self, now_s: float, room: str, sight: Sight) -> list[Order]:
        if sight.players:
            self._idle_s.pop(room, None)
            for name, spec in self._specs.items():
                if spec.plays_in(room):
                    self._runs.setdefault(Key(room, name), Run(next_s=now_s))
        elif now_s - self._idle_s.setdefault(room, now_s) >= IDLE_S:
            return self._stop(now_s, room)
        orders: list[Order] = []
        for key, run in self._of(room):
            orders += self._tend(now_s, key, run, key.name in sight.modules)
            if run.state == "starting":
                break  # the next one only when this one is there
        return orders

    def _of(self, room: str) -> list[tuple[Key, Run]]:
        return [(key, run) for key, run in self._runs.items() if key.room == room]

    def _tend(self, now_s: float, key: Key, run: Run, seen: bool) -> list[Order]:
        if run.state == "waiting" and now_s >= run.next_s:
            run.become("starting", now_s)
            run.why = ""
            return [Order("start", key)]
        if run.state in ("starting", "running") and seen:
            run.become("running", now_s)
            run.failures = [at for at in run.failures if now_s - at < WINDOW_S]
        elif run.state == "starting" and now_s - run.since_s >= JOIN_S:
            return self._kill(now_s, key, run, f"it did not come into the room in {JOIN_S:g} s")
        elif run.state == "running" and now_s - run.since_s >= LOST_S:
            return self._kill(now_s, key, run, f"it was not in the room for {LOST_S:g} s")
        elif run.state == "stopping" and now_s - run.since_s >= GRACE_S:
            return [Order("kill", key)]
        return []

    def _kill(self, now_s: float, key: Key, run: Run, why: str) -> list[Order]:
        run.become("starting", now_s)  # over when its process has ended
        run.why = why
        return [Order("kill", key)]

    def _stop(self, now_s: float, room: str) -> list[Order]:
        """The last that was started first, and the next one when that has ended."""
        for key, run in reversed(self._of(room)):
            if run.state in ("starting", "running"):
                run.become("stopping", now_s)
                return [Order("end", key)]
            if run.state == "stopping":
                return self._tend(now_s, key, run, seen=False)
            del self._runs[key]
        self._idle_s.pop(room, None)
        return []
