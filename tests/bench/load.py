"""A core that is fully loaded."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def one_core_loaded() -> Iterator[None]:
    """Keep core 0 busy with an ordinary process."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(busy.pid, {0})
    try:
        yield
    finally:
        busy.kill()
        busy.wait()
