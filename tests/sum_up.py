"""Adds up what several runs of pytest found: `python -m tests.sum_up FILE.xml...` (JUnit's XML).

A file is named after its run. One that is not there is a run that did not get to its end.
"""

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

KINDS = {"failure": "failed", "error": "errors", "skipped": "skipped"}


@dataclass
class Found:
    """How many tests there were of each kind, and which of them failed."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: "Found") -> "Found":
        return Found(
            self.counts + other.counts, self.seconds + other.seconds, self.wrong + other.wrong
        )

    def __str__(self) -> str:
        kinds = [f"{self.counts[k]} {k}" for k in (*KINDS.values(), "passed") if self.counts[k]]
        return f"{', '.join(kinds) or 'no tests'} in {self.seconds:.0f} s"


def read(file: Path) -> Found:
    """What a run found; raises OSError and ElementTree.ParseError."""
    found = Found()
    for suite in ElementTree.parse(file).getroot().iter("testsuite"):
        found.seconds += float(suite.get("time", 0))
        for case in suite.iter("testcase"):
            kind = next((KINDS[part.tag] for part in case if part.tag in KINDS), "passed")
            found.counts[kind] += 1
            if kind in ("failed", "errors"):
                found.wrong.append(f"{case.get('classname')}::{case.get('name')}")
    return found


def sum_up(files: list[Path]) -> str:
    """All of it in lines, what they come to last."""
    lines, total, unknown = [], Found(), False
    for file in files:
        try:
            found = read(file)
        except (OSError, ElementTree.ParseError):
            unknown = True
            lines.append(f"{file.stem:14} did not get to its end")
            continue
        total += found
        lines.append(f"{file.stem:14} {found}")
    wrong = [f"FAILED {name}" for name in total.wrong]
    return "\n".join([*wrong, *lines, f"{'all':14} {total}{' and more' * unknown}"])


if __name__ == "__main__":
    sys.stdout.write(f"\n{sum_up([Path(name) for name in sys.argv[1:]])}\n")
