"""Memory and open files stay what they are: of what a process uses, at two times. Pure.

The least of a while is looked at: what comes and goes is no leak.
"""

from dataclasses import dataclass, field

from tests.soak.violation import Violation

WINDOW_US = 60_000_000
SETTLE_US = 60_000_000
"""What is filled at first does not count."""
MORE_KIB, MORE_SHARE = 8 * 1024, 0.15
MORE_FILES = 6


@dataclass(frozen=True, slots=True)
class Use:
    """What a process has."""

    at_us: int
    kib: int
    files: int
    threads: int


@dataclass
class GrowthWatch:
    """One process, from its begin on."""

    who: str
    uses: list[Use] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)

    def take(self, use: Use) -> list[Violation]:
        """How it is now."""
        self.uses.append(use)
        first, last = self.compared()
        if first is None or last is None:
            return []
        found = []
        if last.kib > first.kib * (1 + MORE_SHARE) + MORE_KIB:
            found += self._tell(use.at_us, "memory", first.kib, last.kib, "KiB")
        if last.files > first.files + MORE_FILES:
            found += self._tell(use.at_us, "files", first.files, last.files, "open files")
        if last.threads > first.threads + MORE_FILES:
            found += self._tell(use.at_us, "threads", first.threads, last.threads, "threads")
        return found

    def compared(self) -> tuple[Use | None, Use | None]:
        """The least of the first minute after it settled, and of the last one."""
        begin_us = self.uses[0].at_us + SETTLE_US
        end_us = self.uses[-1].at_us
        if end_us < begin_us + 2 * WINDOW_US:
            return None, None
        return _least(self.uses, begin_us), _least(self.uses, end_us - WINDOW_US)

    def _tell(
        self, at_us: int, invariant: str, first: int, last: int, unit: str
    ) -> list[Violation]:
        if invariant in self._told:
            return []
        self._told.add(invariant)
        return [Violation(at_us, f"{invariant} flat", self.who, f"{first} {unit}, then {last}")]


def _least(uses: list[Use], from_us: int) -> Use | None:
    inside = [use for use in uses if from_us <= use.at_us <= from_us + WINDOW_US]
    if not inside:  # the machine stood still
        return None
    return Use(
        from_us,
        min(use.kib for use in inside),
        min(use.files for use in inside),
        min(use.threads for use in inside),
    )
