"""What a soak must not see, and who is excused. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

FOREVER = 2**62
MACHINE = "machine"
"""Is excused when it stood still, and with it all that takes time."""
MOST_SPANS = 100


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that did not hold."""

    at_us: int
    """Room time."""
    invariant: str
    who: str
    seen: str


class Calm:
    """When each one is excused, because something was done to it."""

    def __init__(self) -> None:
        self._spans: dict[str, list[tuple[int, int]]] = {}

    def excuse(self, who: str, from_us: int, until_us: int) -> None:
        """Nothing is asked of it in that time."""
        spans = self._spans.setdefault(who, [])
        spans.append((from_us, until_us))
        del spans[:-MOST_SPANS]

    def away(self, who: str, from_us: int) -> None:
        """It goes; nothing is asked of it until it is back."""
        self.excuse(who, from_us, FOREVER)

    def back(self, who: str, settled_us: int) -> None:
        """It comes back, and has until `settled_us`."""
        spans = self._spans.get(who, [])
        self._spans[who] = [(a, settled_us if b == FOREVER else b) for a, b in spans]

    def all_calm(self, parties: Iterable[str], from_us: int, to_us: int) -> bool:
        """Whether none of them was, nor the machine."""
        return all(self.is_calm(who, from_us, to_us) for who in (*parties, MACHINE))

    def is_calm(self, who: str, from_us: int, to_us: int) -> bool:
        """Whether it was not excused at any moment of that time."""
        return all(b < from_us or a > to_us for a, b in self._spans.get(who, []))
