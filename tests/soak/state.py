"""One soak: what it is about, what was done, and what is to be told of it."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.soak.actors import Stage
from tests.soak.observer import Observer, now_us
from tests.soak.plan import LASTING, MEMBERS, Action
from tests.soak.violation import Violation
from tests.soak.watches import S, Watches


@dataclass
class Options:
    """What is wanted."""

    minutes: float
    seed: int
    members: int = MEMBERS
    lasting: int = LASTING
    jack_servers: int = 2
    verbose: bool = False


@dataclass
class Ghost:
    """Processes that are to go."""

    who: str
    pids: list[int]
    until_s: float


@dataclass
class Soak:
    """All of one run."""

    options: Options
    stage: Stage
    observer: Observer
    watches: Watches
    began_s: float = field(default_factory=time.monotonic)
    done: list[tuple[float, Action]] = field(default_factory=list)
    """When it was done really, in seconds since the begin, and what."""
    skipped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    loads: list[float] = field(default_factory=list)
    stalls: list[tuple[float, float]] = field(default_factory=list)
    """(seconds since the begin, for how long) the machine did not let us look."""
    busy_looks: int = 0
    """Of those at the load: so many found a machine that is too busy."""
    server_logs: list[str] = field(default_factory=list)
    ghosts: list[Ghost] = field(default_factory=list)
    before: dict[str, Any] | None = None
    """The room as it was when its server was killed, until it is back."""
    back_by_s: float = 0.0
    _told: int = 0

    @property
    def here(self) -> set[str]:
        """Whose clients run."""
        return {name for name, member in self.stage.members.items() if member.here}

    def described(self) -> dict[str, Any] | None:
        """The room now; None while the server does not tell."""
        try:
            return {**self.stage.room(), "songs": sorted(self.observer.song_names())}
        except (OSError, ValueError):
            return None

    def found(self, invariant: str, who: str, seen: str) -> None:
        """Something did not hold."""
        self.watches.found([Violation(now_us(), invariant, who, seen)])

    def tell(self) -> None:
        """Say what was found since the last time."""
        for violation in self.watches.violations[self._told :]:
            self.say(f"VIOLATION {self.in_words(violation)}")
        self._told = len(self.watches.violations)

    def say(self, text: str) -> None:
        """A line, with when it is."""
        if self.options.verbose or text.startswith("VIOLATION"):
            print(f"[{time.monotonic() - self.began_s:7.1f} s] {text}", flush=True)  # noqa: T201

    def in_words(self, violation: Violation) -> str:
        """What, who, when, and what was done last before it."""
        at_s = violation.at_us / S - self.began_s
        before = [action for done_s, action in self.done if done_s <= at_s]
        own = [action for action in before if violation.who in (action.who, *action.words)]
        text = f"{violation.invariant}: {violation.who}: {violation.seen} (at {at_s:.1f} s, "
        text += f"seed {self.options.seed}; before it: {before[-1] if before else 'nothing'}"
        return text + (f"; to it: {own[-1]})" if own else ")")
