"""JACK servers with the dummy driver: real ports where there is no sound card."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

from midipool.errors import Unavailable
from midipool_demo.background import Background, child_environment

_numbers = itertools.count(1)

WAIT_CODE = """
import time
from midipool_native import jack
from midipool_native.checks import NativeError
give_up = time.monotonic() + 10
while True:
    try:
        jack.JackMeter("wait", 1).close()
        break
    except NativeError:
        if time.monotonic() > give_up:
            raise
        time.sleep(0.02)
"""


class JackServer(Background):
    """A JACK server of its own name; `env` lets a program's JACK clients find it.

    It waits for a client that is late (`--sync`) instead of leaving that one's cycle out, in which
    a meter would hear nothing. Where a whole period passes it still loses frames: an xrun.
    `own_env` is the server's alone, and not for its clients.
    """

    def __init__(
        self,
        rate: int = 48_000,
        period: int = 128,
        name: str | None = None,
        own_env: Mapping[str, str] | None = None,
    ) -> None:
        jackd = shutil.which("jackd")
        if jackd is None:
            raise Unavailable("jackd is not installed: apt-get install jackd2")
        self.period = period
        self.name = name or f"mp-{os.getpid()}-{next(_numbers)}"
        self.env = {"JACK_DEFAULT_SERVER": self.name, "JACK_NO_AUDIO_RESERVATION": "1"}
        command = [jackd, "--sync", "-n", self.name]
        command += ["-d", "dummy", "-r", str(rate), "-p", str(period)]
        super().__init__(command, {**self.env, **(own_env or {})})

    def wait_ready(self) -> None:
        """Wait until clients can connect; raises RuntimeError."""
        waiting = subprocess.run(
            [sys.executable, "-c", WAIT_CODE],
            env=child_environment(self.env),
            capture_output=True,
            text=True,
        )
        if waiting.returncode != 0:
            raise RuntimeError(f"JACK does not start:\n{self.output()}\n{waiting.stderr}")
