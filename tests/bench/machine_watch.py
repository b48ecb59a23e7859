"""When the machine itself stood still: its processors ran nothing, not even what comes before all.

An xrun at such a moment is nobody's: no program could have been in time.
"""

import functools
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midipool_demo.frame_times import Ints
from tests.e2e.owned_process import OwnedProcess

ROOT = Path(__file__).resolve().parents[2]
NEAR_NS = 20_000_000
"""JACK says an xrun with its next cycle."""


@dataclass(frozen=True)
class Stalls:
    """Rows of when a processor went on (CLOCK_MONOTONIC, ns) and how late that was (ns)."""

    rows: Ints
    watched: bool = True
    """False where that was not permitted: then nothing is known, and no xrun is excused."""

    @property
    def count(self) -> int | None:
        """How many there were."""
        return len(self.rows) if self.watched else None

    def others(self, moments_ns: Iterable[int]) -> list[int]:
        """Those of the moments that are near to none of them."""
        went_on = self.rows[:, 0]
        return [ns for ns in moments_ns if not (abs(went_on - ns) <= NEAR_NS).any()]


class MachineWatch(OwnedProcess):
    """Watches until its end, if it may have real-time priority; a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [_program()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._wait_ready("the machine cannot be watched")

    def end(self) -> Stalls:
        """Stop it; when the machine stood still."""
        said, _ = self._process.communicate("", 10)
        rows = [[int(number) for number in line.split()] for line in said.splitlines()]
        watched = self._process.returncode == 0
        return Stalls(np.array(rows, np.int64).reshape(-1, 2), watched)


@functools.cache
def _program() -> Path:
    program = ROOT / "native" / "build" / "machine_watch"
    program.parent.mkdir(exist_ok=True)
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]
    source = Path(__file__).with_suffix(".c")
    subprocess.run(["gcc", *flags, "-o", program, source, "-lpthread"], check=True)
    return program
