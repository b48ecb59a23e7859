"""Who does what when in a soak: a function of its seed, and of nothing that happens. Pure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

MEMBERS = 16
LASTING = 4
"""The first members have audio, and never leave."""
LEAST_HERE = 10
OBSERVER = "observer"

FIRST_S, EVERY_JOIN_S, SETTLE_S = 1.0, 1.5, 6.0
QUIET_S = 2.0
"""Before and behind a killed server nothing else happens: so what it knew is known."""
BACK_S = 6.0
MEAN_PAUSE_S, LEAST_PAUSE_S = 4.0, 1.0

Words = tuple[str | float, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that is done, `at_s` behind the begin."""

    at_s: float
    do: str
    who: str = ""
    words: Words = ()

    def __str__(self) -> str:
        return " ".join([f"{self.at_s:.1f} s:", self.do, self.who, *map(str, self.words)]).strip()


@dataclass(frozen=True, slots=True)
class Course:
    """What a plan is made for."""

    seed: int
    seconds: float
    members: int = MEMBERS
    lasting: int = LASTING
    can_lose: bool = True
    """Whether there are lines that lose packets."""


WEIGHTS = {
    "tempo": 14,
    "transport": 12,
    "locate": 8,
    "come_or_go": 14,
    "kill_client": 4,
    "kill_audio": 5,
    "kill_midi": 2,
    "kill_server": 3,
    "graph": 18,
    "line": 7,
    "song": 4,
}


def name_of(number: int) -> str:
    """The name of a member."""
    return f"s{number:02}"


def make_plan(course: Course) -> list[Action]:
    """All of it, in order of time."""
    return list(_Maker(course).actions())


class _Maker:
    """Keeps in mind what there will be when an action comes."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._chance = random.Random(course.seed)
        self._names = [name_of(n) for n in range(course.members)]
        self._here = set(self._names)
        self._free_at_s: dict[str, float] = {}
        """From when on somebody who came or went may do so again."""
        self._playing = True
        self._songs = 0
        self._now_s = 0.0

    def actions(self) -> Iterator[Action]:
        yield from self._begin()
        weights = dict(WEIGHTS)
        if not self._course.can_lose:
            del weights["line"]
        while True:
            self._now_s += max(LEAST_PAUSE_S, self._chance.expovariate(1 / MEAN_PAUSE_S))
            found: list[Action] = []
            while not found:  # not all can be done always
                kind = self._chance.choices(list(weights), list(weights.values()))[0]
                found = list(getattr(self, f"_{kind}")())
            if self._now_s >= self._course.seconds - SETTLE_S:
                return
            yield from found

    def _begin(self) -> Iterator[Action]:
        for number, name in enumerate(self._names):
            self._now_s = FIRST_S + number * EVERY_JOIN_S
            yield self._act("join", name)
        self._now_s += SETTLE_S
        yield self._act("start")

    def _act(self, do: str, who: str = "", *words: str | float) -> Action:
        return Action(round(self._now_s, 2), do, who, words)

    def _some(self, names: list[str]) -> str | None:
        """One of them that has been left alone for a while."""
        calm = [name for name in names if self._free_at_s.get(name, 0.0) <= self._now_s]
        return self._chance.choice(calm) if calm else None

    def _leave_alone(self, name: str, for_s: float = 20.0) -> None:
        self._free_at_s[name] = self._now_s + for_s

    # ---- the song ----

    def _tempo(self) -> Iterator[Action]:
        bpm = round(self._chance.uniform(80, 150), 1)
        yield self._act("tempo", "", bpm, self._chance.choice([0, 0, 1, 4]))

    def _transport(self) -> Iterator[Action]:
        if not self._playing:
            self._playing = True
            yield self._act(self._chance.choice(["start", "continue"]))
        elif self._chance.random() < 0.5:
            yield self._act("start")
        else:
            self._playing = False
            yield self._act("stop")
            self._now_s += self._chance.uniform(1.0, 4.0)
            yield from self._transport()

    def _locate(self) -> Iterator[Action]:
        yield self._act(
            "locate", "", self._chance.randint(1, 60), self._chance.choice(["now", "bar"])
        )

    def _song(self) -> Iterator[Action]:
        self._songs += 1
        if self._songs <= 20:
            yield self._act("add_song", "", f"Song {self._songs}")

    # ---- who is there ----

    def _come_or_go(self) -> Iterator[Action]:
        guests = self._names[self._course.lasting :]
        away = self._some([name for name in guests if name not in self._here])
        leaving = self._some([name for name in guests if name in self._here])
        if away is not None and (leaving is None or self._chance.random() < 0.6):
            self._here.add(away)
            self._leave_alone(away)
            yield self._act("join", away)
        elif leaving is not None and len(self._here) > LEAST_HERE:
            self._here.discard(leaving)
            self._leave_alone(leaving, 8.0)
            yield self._act("leave", leaving)

    def _kill_client(self) -> Iterator[Action]:
        guests = [n for n in self._names[self._course.lasting :] if n in self._here]
        name = self._some(guests)
        if name is not None and len(self._here) > LEAST_HERE:
            self._here.discard(name)
            self._leave_alone(name, 8.0)
            yield self._act("kill_client", name)

    def _kill_audio(self) -> Iterator[Action]:
        name = self._some(self._names[: self._course.lasting])
        if name is not None:
            self._leave_alone(name, 30.0)
            yield self._act("kill_audio", name)

    def _kill_midi(self) -> Iterator[Action]:
        name = self._some([n for n in self._names if n in self._here])
        if name is not None:
            self._leave_alone(name)
            yield self._act("kill_midi", name)

    def _kill_server(self) -> Iterator[Action]:
        self._now_s += QUIET_S
        down_s = round(self._chance.uniform(0.2, 4.0), 1)
        yield self._act("kill_server", "", down_s)
        self._now_s += down_s + BACK_S + QUIET_S

    # ---- who hears whom, and by which lines ----

    def _graph(self) -> Iterator[Action]:
        audio = self._names[: self._course.lasting]
        target = self._chance.choice(audio if self._chance.random() < 0.6 else self._names)
        source = self._chance.choice([*audio, OBSERVER, "@all"])
        match self._chance.choice(["link", "link", "unlink", "unlink", "hear", "reset"]):
            case "reset" if self._chance.random() < 0.4:
                yield self._act("graph_reset")
            case "hear":
                count = self._chance.randint(0, 2)
                heard = self._chance.sample([*audio, OBSERVER], count)
                yield self._act("hear", target, *heard)
            case "link" | "reset":
                yield self._act("link", target, source)
            case _:
                yield self._act("unlink", target, source)

    def _line(self) -> Iterator[Action]:
        """How the line of those who are far away is."""
        if self._chance.random() < 0.3:
            yield self._act("line", "", 0.0, 0.0, 0.0)
            return
        loss = round(self._chance.choice([0.0, 0.005, 0.02, 0.05]), 3)
        delay_ms = float(self._chance.choice([0, 5, 20, 40]))
        yield self._act("line", "", loss, delay_ms, round(delay_ms / 4, 1))
