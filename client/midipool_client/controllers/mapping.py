"""From a controller's bytes to what a page would ask for. Pure: the time comes in."""

from collections.abc import Callable, Mapping
from typing import Any

from midipool.daw.parser import MidiParser
from midipool.errors import InvalidValue
from midipool_client.controllers import looking
from midipool_client.controllers.goals import Goal, goal_of
from midipool_client.controllers.knob import Knob, Switch
from midipool_client.controllers.sources import (
    FINE,
    FINE_FROM,
    FineControllers,
    Moved,
    Source,
    moved_by,
    source_of,
)
from midipool_client.controllers.tapping import Tapping
from midipool_client.controllers.target import Target
from midipool_client.page.state import State

Asked = tuple[Source, dict[str, Any]]
Look = Callable[[], State]
# How long the lower half of a 14-bit controller may be behind its upper half.
FINE_US = 60_000
LEARN_US = 30_000_000


def check_fits(goal: Goal, source: Source) -> None:
    """Raises InvalidValue when the one cannot do the other."""
    if goal.kind == "level" and not source.moves:
        raise InvalidValue("source", f"{source} is only pressed, and {goal.tag} needs a level")
    if goal.kind == "level" and goal.how.startswith("relative") and source.kind != "cc":
        raise InvalidValue("source", f"{source} is no endless encoder: those are cc:CHANNEL:NUMBER")
    if goal.kind != "level" and not source.presses:
        raise InvalidValue("source", f"{source} cannot be pressed: take a cc, note or program")


class ControllerMap:
    """Learns sources, and turns what they say into requests."""

    def __init__(self) -> None:
        self.goals: dict[Source, Goal] = {}
        self.learning: Goal | None = None
        self._learn_until_us = 0
        self._half: tuple[Source, int] | None = None
        """An upper half that was moved while learning, and until when its lower one may come."""
        self._parser = MidiParser(max_sysex_bytes=8)
        self._fine = FineControllers()
        self._knobs: dict[Source, Knob] = {}
        self._switches: dict[Source, Switch] = {}
        self._tapping = Tapping()

    def set_learned(self, learned: Mapping[str, Target]) -> None:
        """What the settings say; what makes no sense here is passed over."""
        goals: dict[Source, Goal] = {}
        for text, target in learned.items():
            try:
                source, goal = source_of(text), goal_of(target)
                check_fits(goal, source)
            except InvalidValue:
                continue
            goals[source] = goal
        for source in [s for s in self._knobs if goals.get(s) != self.goals.get(s)]:
            del self._knobs[source]
        self.goals = goals

    # ---- learning ----

    def learn(self, target: Target, now_us: int) -> None:
        """The next controller that fits is for this; raises InvalidValue."""
        self.learning, self._half = goal_of(target), None
        self._learn_until_us = now_us + LEARN_US

    def stop_learning(self) -> None:
        """Nothing is learned any more."""
        self.learning = self._half = None

    def poll(self, now_us: int) -> Source | None:
        """The source that is learned by waiting; learning that took too long ends."""
        if self.learning is None:
            return None
        if self._half is not None and now_us >= self._half[1]:
            return self._half[0]
        if now_us >= self._learn_until_us:
            self.stop_learning()
        return None

    def next_deadline(self) -> int | None:
        """When `poll` has something to do."""
        if self.learning is None:
            return None
        return self._learn_until_us if self._half is None else self._half[1]

    # ---- what comes in ----

    def heard(self, data: bytes, now_us: int, look: Look) -> tuple[list[Asked], Source | None]:
        """(what is asked for, the source that was learned) by bytes that came at `now_us`."""
        asked: list[Asked] = []
        for message in self._parser.feed(data, now_us):
            moved = moved_by(message.data)
            if moved is None:
                continue
            if self.learning is not None:
                learned = self._learned(self.learning, moved, now_us)
                if learned is not None:
                    return asked, learned
                continue
            moved = self._fine.joined(moved, frozenset(self.goals))
            if moved is not None and (goal := self.goals.get(moved.source)) is not None:
                asked += [(moved.source, r) for r in self._asked(goal, moved, now_us, look)]
        return asked, None

    def waits(self, source: Source) -> bool:
        """Whether a fader must first be moved to where its value is."""
        knob = self._knobs.get(source)
        return self.goals[source].how == "pickup" and (knob is None or not knob.holds)

    def _learned(self, goal: Goal, moved: Moved, now_us: int) -> Source | None:
        source = moved.source
        if self._half is not None:
            half = self._half[0]
            if source == Source("cc", half.channel, half.number + FINE):
                return Source("cc14", half.channel, half.number)
            return half
        if goal.kind == "level":
            if not source.moves or (goal.how.startswith("relative") and source.kind != "cc"):
                return None
            if source.kind == "cc" and source.number < FINE_FROM and goal.how in ("pickup", "jump"):
                self._half = source, now_us + FINE_US
                return None
            return source
        return source if source.presses and moved.down else None

    def _asked(self, goal: Goal, moved: Moved, now_us: int, look: Look) -> list[dict[str, Any]]:
        switch = self._switches.setdefault(moved.source, Switch())
        if goal.kind == "level":
            knob = self._knobs.setdefault(moved.source, Knob(goal))
            now = looking.current(look(), goal.target.request, goal.target.field)
            value = knob.moved(moved, now, now_us)
            return [] if value is None else [goal.request(value)]
        if goal.how == "hold":
            switch.pressed(moved)
            return self._held(goal, moved.down, look)
        if not switch.pressed(moved):
            return []
        if goal.kind == "switch":
            now = looking.current(look(), goal.target.request, goal.target.field)
            return [goal.request(switch.toggled(None if now is None else bool(now)))]
        return [goal.request()] if goal.kind == "press" else self._gesture(goal, now_us, look)

    def _held(self, goal: Goal, down: bool, look: Look) -> list[dict[str, Any]]:
        now = looking.current(look(), goal.target.request, goal.target.field)
        return [] if now is down else [goal.request(down)]

    def _gesture(self, goal: Goal, now_us: int, look: Look) -> list[dict[str, Any]]:
        more = {n: v for n, v in goal.target.request.items() if n != "type"}
        match goal.tag:
            case "tap":
                bpm = self._tapping.tap(now_us)
                return [] if bpm is None else [{"type": "tempo", **more, "id": 1, "bpm": bpm}]
            case "play":
                how = {"type": "stop"} if looking.plays(look()) else {"type": "start", **more}
                return [{**how, "id": 1}]
        state = look()
        if looking.records(state):
            return [{"type": "record_stop", "id": 1}]
        how = {"format": state.page.record_format, "quota_gb": state.page.quota_gb}
        return [{"type": "record_start", "id": 1, **how}]
