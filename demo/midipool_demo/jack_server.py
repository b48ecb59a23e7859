"""JACK servers with the dummy driver: real ports where there is no sound card."""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType

from midipool.errors import Unavailable
from midipool_demo.background import Background, child_environment

_numbers = itertools.count(1)

PLACES = 8
"""How many servers JACK's registry has room for."""

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


def claim_name() -> tuple[str, socket.socket]:
    """A name that no server has, for as long as the socket is open somewhere.

    There are as many names as places in JACK's registry: a server that was killed keeps its place
    until another one comes under its name. Raises Unavailable.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if sys.platform != "linux":  # no names for sockets that are no files
        return f"midipool-{os.getpid()}-{next(_numbers)}", claim
    for number in range(1, PLACES + 1):
        name = f"midipool-{number}"
        with contextlib.suppress(OSError):
            claim.bind(f"\0{name}")
            return name, claim
    claim.close()
    raise Unavailable(
        f"{PLACES} JACK servers of demos and tests run, and JACK has room for no more"
    )


class JackServer(Background):
    """A JACK server of a name of its own; `env` lets a program's JACK clients find it.

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
        self._claim: socket.socket | None = None
        if name is None:
            name, self._claim = claim_name()
        self.name = name
        self.env = {"JACK_DEFAULT_SERVER": self.name, "JACK_NO_AUDIO_RESERVATION": "1"}
        command = [jackd, "--sync", "-n", self.name]
        command += ["-d", "dummy", "-r", str(rate), "-p", str(period)]
        # The server has the claim too: if we are killed it still runs under that name.
        keep = [self._claim.fileno()] if self._claim is not None else []
        super().__init__(command, {**self.env, **(own_env or {})}, keep)

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        if self._claim is not None:
            self._claim.close()
