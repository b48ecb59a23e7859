"""What a process takes of a core, and of memory, by what Linux counts."""

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class ProcessCost:
    """Looks at a process when the context begins and ends."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.cpu_percent = 0.0
        """Of one core, all threads together."""
        self.resident_mb = 0.0
        """At the end."""

    def __enter__(self) -> Self:
        self._began_s, self._used_s = time.monotonic(), self._cpu_s()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            return
        used_s = self._cpu_s() - self._used_s
        self.cpu_percent = round(100 * used_s / (time.monotonic() - self._began_s), 1)
        self.resident_mb = round(self._resident_kb() / 1024, 1)

    def _cpu_s(self) -> float:
        # The name, which may hold spaces, ends with the last bracket.
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _resident_kb(self) -> int:
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def child_running(pid: int, module: str) -> int:
    """The child of a process that runs this Python module; raises RuntimeError."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if module.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise RuntimeError(f"{module} does not run")
