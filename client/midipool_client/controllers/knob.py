"""One learned controller: where it stands, and whether it has the value in its hand. Pure."""

from dataclasses import dataclass

from midipool_client.controllers.goals import Goal
from midipool_client.controllers.law import Law
from midipool_client.controllers.sources import Moved

# How near is near enough to take hold: two steps of 127.
NEAR = 2 / 127
# A value that was asked for may take so long until it is seen.
SEEN_US = 1_000_000
FINEST = 1 / 127


@dataclass(slots=True)
class Knob:
    """A level: nothing jumps, as it takes hold only where the value is (soft pick-up)."""

    goal: Goal
    holds: bool = False
    _last: float | None = None
    _sent: float | None = None
    _sent_us: int = 0

    def moved(self, moved: Moved, current: float | None, now_us: int) -> float | None:
        """The value to ask for, if one is; `current` is what it is now, None if nobody knows."""
        law = self.goal.law
        assert law is not None
        current = self._believed(current, now_us)
        if self.goal.how.startswith("relative"):
            return self._turned(law, steps_of(self.goal.how, moved.raw), current, now_us)
        place = moved.balance if law.has_middle else moved.position
        if self.goal.how == "pickup" and current is not None:
            self._take_hold(law, place, current)
        else:
            self.holds = True
        self._last = place
        return self._ask(law.value(place), current, now_us) if self.holds else None

    def _believed(self, current: float | None, now_us: int) -> float | None:
        """What was asked for a moment ago counts, also before it is seen."""
        if self._sent is not None and now_us - self._sent_us < SEEN_US:
            return self._sent
        return current if current is not None else self._sent

    def _take_hold(self, law: Law, place: float, current: float) -> None:
        where, last = law.place(current), self._last
        here = abs(place - where) <= NEAR or law.value(place) == current
        if not self.holds:
            self.holds = here or (last is not None and (last - where) * (place - where) <= 0)
        elif last is not None and abs(last - where) > NEAR and law.value(last) != current:
            self.holds = here  # somebody else moved the value

    def _turned(self, law: Law, steps: int, current: float | None, now_us: int) -> float | None:
        self.holds = True
        place = law.place(law.value(0.5) if current is None else current)
        return self._ask(law.value(place + steps * FINEST), current, now_us)

    def _ask(self, value: float, current: float | None, now_us: int) -> float | None:
        if value == current:
            return None
        self._sent, self._sent_us = value, now_us
        return value


@dataclass(slots=True)
class Switch:
    """A pedal, key or button, as what is pressed or let go."""

    _last: int | None = None
    _on: bool = False

    def pressed(self, moved: Moved) -> bool:
        """Whether this is a press: also the same place once more, which no moving pedal says."""
        before, self._last = self._last, moved.raw
        if not moved.down:
            return False
        again = moved.source.kind != "cc" or before == moved.raw
        was_down = before is not None and before > moved.most // 2
        return again or not was_down

    def toggled(self, current: bool | None) -> bool:
        """The other state."""
        self._on = not (self._on if current is None else current)
        return self._on


def steps_of(how: str, raw: int) -> int:
    """How far an endless encoder was turned, by the three ways in which they say it."""
    match how:
        case "relative-offset":
            return raw - 64
        case "relative-sign":
            return raw if raw < 64 else 64 - raw
    return raw if raw < 64 else raw - 128
