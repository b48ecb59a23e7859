"""What a check found, and what all of them together mean. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["good", "warning", "bad", "unknown"]
Figure = float | str | bool | None | list[str]

MOST_NAMES = 8
MOST_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    name: str
    """What was looked at, in one or a few words; the same in each run."""
    status: Status
    """`bad` stands in the way of playing, `warning` of playing exactly."""
    text: str
    """What is, in one line."""
    advice: str = ""
    """What to do; empty when it is good."""
    figures: dict[str, Figure] = field(default_factory=dict)
    """What was measured, with the unit in the name."""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings in their order, and the verdict."""

    checks: list[Finding]
    verdict: Finding

    @property
    def exit_code(self) -> int:
        """1 when something is bad, else 0."""
        return int(any(finding.status == "bad" for finding in (*self.checks, self.verdict)))

    def as_json(self) -> dict[str, Any]:
        """`{"checks": [...], "verdict": {...}}`; each is a Finding's fields."""
        return asdict(self)


def unknown(name: str, text: str, advice: str = "") -> Finding:
    """A check that could not be made."""
    return Finding(name, "unknown", text, advice)


def names_in_words(names: Iterable[str]) -> str:
    """Names that others chose, for a line on a terminal: quoted, and not too many or too long."""
    quoted = [f"'{printable(name)}'" for name in names]
    more = len(quoted) - MOST_NAMES
    return ", ".join(quoted[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def printable(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text from elsewhere in one line, without what a terminal would obey."""
    clean = "".join(c if c.isprintable() else "?" for c in text[: most + 1])
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"
