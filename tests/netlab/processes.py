"""Ending processes for certain, and waiting for that without polling."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

PATIENCE_S = 2.0


def stop(processes: Sequence[subprocess.Popen[Any]], patience_s: float = PATIENCE_S) -> None:
    """Terminate all at once, kill what still lives `patience_s` later, and close the pipes."""
    for process in processes:
        process.terminate()
    deadline_s = time.monotonic() + patience_s
    for process in processes:
        try:
            process.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def kill_strays(pids: Iterable[int], patience_s: float = PATIENCE_S) -> None:
    """Kill processes that are not our children, and wait until they are gone."""
    deadline_s = time.monotonic() + patience_s
    with ExitStack() as opened:
        for pid in pids:
            with suppress(ProcessLookupError):
                gone = os.pidfd_open(pid)
                opened.callback(os.close, gone)
                signal.pidfd_send_signal(gone, signal.SIGKILL)
                select.select([gone], [], [], max(0.0, deadline_s - time.monotonic()))
