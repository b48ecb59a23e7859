"""How one module does, from its first start on. Pure: `now_us` in, orders out."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from midipool.messages import ModuleState

Policy = Literal["always", "on-failure", "never"]
State = Literal["idle", "starting", "running", "ending", "pausing", "ended", "failed"]
Then = Literal["stop", "again", "drop", "fail"]
Do = Literal["start", "end", "kill"]

SECOND_US = 1_000_000
JOIN_US, LOST_US, GRACE_US = 20 * SECOND_US, 10 * SECOND_US, 3 * SECOND_US
FIRST_PAUSE_US, LONGEST_PAUSE_US = SECOND_US // 2, 30 * SECOND_US
MOST_FAILURES, WINDOW_US = 5, 120 * SECOND_US
# More frames than that, too late between two looks, are no hiccup; for so long it is told.
LATE_FRAMES, LATE_US = 480, 10 * SECOND_US

SHOWN: dict[State, ModuleState] = {
    "idle": "waiting",
    "starting": "starting",
    "running": "playing",
    "ending": "stopping",
    "pausing": "restarting",
    "ended": "stopped",
    "failed": "failed",
}


class Order(NamedTuple):
    """What is to be done with a module's process."""

    do: Do
    name: str


@dataclass(slots=True)
class Run:
    """A module that is to play, is stopped, or was given up."""

    name: str
    policy: Policy = "on-failure"
    wanted: bool = True
    """False: a host stopped it."""
    state: State = "idle"
    since_us: int = 0
    """When it came to that state, or was seen last while it runs."""
    then: Then = "stop"
    """What comes behind `ending`."""
    again_us: int = 0
    failures: list[int] = field(default_factory=list)
    restarts: int = 0
    why: str = ""
    seen: bool = False
    """Whether it is in the room."""
    late_frames: int = 0
    late_us: int | None = None
    """When frames came too late last."""

    @property
    def goes(self) -> bool:
        """Whether it is to be forgotten."""
        return self.state == "ending" and self.then == "drop"

    @property
    def is_alive(self) -> bool:
        """Whether there is a process."""
        return self.state in ("starting", "running", "ending")

    # ---- what is asked for ----

    def start(self, now_us: int) -> None:
        """Play, when it is its turn, with nothing held against it."""
        self.wanted = True
        if self.state == "ending":
            self.then = "again"
        elif not self.is_alive:
            self.failures, self.why = [], ""
            self._become("idle", now_us)

    def end(self, now_us: int, then: Then) -> list[Order]:
        """End in order, and be then what is said."""
        self.wanted = then == "again" or (self.wanted and then != "stop")
        return self._end(now_us, then)

    def pause(self, now_us: int) -> list[Order]:
        """End, because nobody is there: it is wanted again with the next player."""
        return self._end(now_us, "stop")

    def give_up(self, now_us: int, why: str) -> None:
        """It cannot be run."""
        self.why = why
        self._become("failed", now_us)

    # ---- what happens ----

    def look(self, now_us: int, seen: bool, late_frames: int = 0) -> list[Order]:
        """It is in the room or not, and so many frames of it came too late so far."""
        self.seen = seen
        if seen and self.state in ("starting", "running"):
            self._seen(now_us, late_frames)
        elif self.state == "starting" and now_us >= self.since_us + JOIN_US:
            return self._kill(now_us, f"it did not come into the room in {JOIN_US // SECOND_US} s")
        elif self.state == "running" and now_us >= self.since_us + LOST_US:
            return self._kill(now_us, f"it was not in the room for {LOST_US // SECOND_US} s")
        elif self.state == "ending" and now_us >= self.since_us + GRACE_US:
            self.since_us = now_us
            return [Order("kill", self.name)]
        return []

    def begin(self, now_us: int) -> list[Order]:
        """It is its turn."""
        if self.state == "pausing":
            self.restarts += 1
        self.late_frames, self.late_us = 0, None
        self._become("starting", now_us)
        return [Order("start", self.name)]

    def is_due(self, now_us: int) -> bool:
        """Whether it is to be started now."""
        if self.state == "pausing":
            return now_us >= self.again_us
        return self.state == "idle" and self.wanted

    def exited(self, now_us: int, code: int, why: str) -> bool:
        """Its process is no more; `why` is the last that it said. False: it is to be forgotten."""
        text = f"it ended with code {code}" + (f": {why}" if why else "")
        if self.state == "ending":
            return self._ended(now_us, text)
        self.why = text
        if self.policy == "never" or (self.policy == "on-failure" and code == 0):
            self._become("ended", now_us)
        else:
            self._fail(now_us)
        return True

    # ---- what it looks like ----

    def shown(self, now_us: int) -> tuple[ModuleState, str]:
        """Its state, and what is wrong or was the last time."""
        if self.state == "idle" and not self.wanted:
            return "stopped", self.why
        if self.state == "starting":
            return "starting", self._failed_lately(now_us)
        if self.state != "running":
            return SHOWN[self.state], self.why
        wrong = "" if self.seen else "its connection with the room is broken"
        wrong = wrong or self._late(now_us) or self._failed_lately(now_us)
        return ("degraded", wrong) if wrong else ("playing", "")

    def next_us(self) -> int | None:
        """When it is to be looked at again, if nothing happens; None: not at all."""
        match self.state:
            case "starting":
                return self.since_us + JOIN_US
            case "running":
                return self.since_us + (SECOND_US if self.seen else LOST_US)
            case "ending":
                return self.since_us + GRACE_US
            case "pausing":
                return self.again_us
        return None

    # ---- inside ----

    def _become(self, state: State, now_us: int) -> None:
        self.state, self.since_us = state, now_us

    def _end(self, now_us: int, then: Then) -> list[Order]:
        if self.state == "ending":
            self.then = then
            return []
        if not self.is_alive:
            self._become("idle", now_us)
            return []
        self.then = then
        self._become("ending", now_us)
        return [Order("end", self.name)]

    def _kill(self, now_us: int, why: str) -> list[Order]:
        self.then, self.why = "fail", why
        self._become("ending", now_us)
        return [Order("kill", self.name)]

    def _ended(self, now_us: int, text: str) -> bool:
        if self.then == "fail":
            self._fail(now_us)
            return True
        self.failures, self.why = [], ""
        self._become("idle", now_us)
        return self.then != "drop"

    def _fail(self, now_us: int) -> None:
        self.failures = [at for at in self.failures if now_us - at < WINDOW_US] + [now_us]
        if len(self.failures) >= MOST_FAILURES:
            self._become("failed", now_us)
            return
        pause_us = FIRST_PAUSE_US * 2 ** (len(self.failures) - 1)
        self.again_us = now_us + min(pause_us, LONGEST_PAUSE_US)
        self._become("pausing", now_us)

    def _seen(self, now_us: int, late_frames: int) -> None:
        if self.state == "running" and late_frames >= self.late_frames + LATE_FRAMES:
            self.late_us = now_us
        self.late_frames = late_frames
        self._become("running", now_us)

    def _late(self, now_us: int) -> str:
        lately = self.late_us is not None and now_us - self.late_us < LATE_US
        return "it does not keep up: sound of it comes too late" if lately else ""

    def _failed_lately(self, now_us: int) -> str:
        lately = [at for at in self.failures if now_us - at < WINDOW_US]
        times = "once" if len(lately) == 1 else f"{len(lately)} times"
        return f"it failed {times} within 2 minutes: {self.why}" if lately else ""
