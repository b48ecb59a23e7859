"""What can be set of an effect. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from midipool.errors import InvalidValue

Value = float | str
MOST_TEXT = 1024


@dataclass(frozen=True, slots=True)
class Number:
    """Something between two ends."""

    name: str
    default: float
    least: float
    most: float
    unit: str = ""
    step: float = 0.1

    def check(self, value: Value) -> Value:
        """The value, if it can be; raises InvalidValue."""
        try:
            number = float(value)
        except ValueError:
            raise InvalidValue(self.name, f"must be a number, not {value!r}") from None
        if not self.least <= number <= self.most:
            unit = f" {self.unit}" if self.unit else ""
            rule = f"must be {self.least:g} to {self.most:g}{unit}, not {number:g}"
            raise InvalidValue(self.name, rule)
        return number


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    name: str
    default: str
    choices: Sequence[str]

    def check(self, value: Value) -> Value:
        """The value, if it can be; raises InvalidValue."""
        if value not in self.choices:
            raise InvalidValue(self.name, f"must be one of {', '.join(self.choices)}, not {value}")
        return value


@dataclass(frozen=True, slots=True)
class Text:
    """A file of the player's, or a name in it; empty is none."""

    name: str
    default: str = ""

    def check(self, value: Value) -> Value:
        """The value, if it can be; raises InvalidValue."""
        if not isinstance(value, str) or len(value) > MOST_TEXT or "\0" in value:
            raise InvalidValue(self.name, f"must be a text of at most {MOST_TEXT} characters")
        return value


Parameter = Number | Choice | Text
