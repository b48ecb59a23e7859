"""JackTrip and Jamulus between two JACK servers, for `./run bench audio` and `loss`.

Both without a window.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import free_port

PORTS_S = 10.0


@dataclass(frozen=True)
class Machine:
    """Where one of two players is."""

    jack: JackServer
    address: str = "127.0.0.1"
    entered: tuple[str, ...] = ()
    """The words before a command that run it there."""

    def run(self, *words: str, **env: str) -> Background:
        """Run a program in the background."""
        return Background([*self.entered, *words], {**self.jack.env, **env})


@dataclass(frozen=True)
class Loop:
    """The ports of both players' programs, of the first channel."""

    sink: str
    source: str
    far: tuple[str, str]
    """On the second JACK server: the output, and the input of the way back."""
    pid: int
    """The process whose share of a core counts: that of the first player."""


def missing(*programs: str) -> str | None:
    """Which of these programs is not installed."""
    return next((program for program in programs if shutil.which(program) is None), None)


def wait_for_port(server: JackServer, port: str) -> None:
    """Wait until a JACK server has a port; raises RuntimeError."""
    give_up = time.monotonic() + PORTS_S
    while port not in (ports := jack("jack_lsp", server).splitlines()):
        if time.monotonic() > give_up:
            raise RuntimeError(f"no JACK port {port!r}; there are {ports}")
        time.sleep(0.1)


def jack(program: str, server: JackServer, *words: str) -> str:
    """What one of JACK's own programs prints."""
    env = {**os.environ, **server.env}
    return subprocess.run([program, *words], env=env, capture_output=True, text=True).stdout


@contextlib.contextmanager
def jacktrip(here: Machine, there: Machine, *options: str) -> Iterator[Loop]:
    """JackTrip, one to one; without options with the shortest queue that it takes."""
    port = str(free_port())
    common = ["jacktrip", *(options or ("-q", "2")), "-n", "2", "-D", "-J", "JackTrip"]
    far = ("JackTrip:receive_1", "JackTrip:send_1")
    with there.run(*common, "-s", "-B", port) as server:
        server.wait_for_output("Waiting for Connection From a Client", PORTS_S)
        with here.run(*common, "-c", there.address, "-P", port) as client:
            client.wait_for_output("Received Connection", PORTS_S)
            yield Loop("JackTrip:send_1", "JackTrip:receive_1", far, client.process.pid)


@contextlib.contextmanager
def jamulus(
    here: Machine,
    there: Machine,
    home: Path,
    address: str = "127.0.0.1",
    entered: tuple[str, ...] = (),
) -> Iterator[Loop]:
    """Jamulus with its defaults, through a server of its own; nobody hears himself.

    `address` is where the server is, and `entered` what runs it there.
    """
    port = str(free_port())
    with contextlib.ExitStack() as stack:

        def own(name: str) -> dict[str, str]:
            (home / name).mkdir(exist_ok=True)  # it may be tried again
            return {"HOME": str(home / name), "QT_QPA_PLATFORM": "offscreen"}

        serve = [*entered, "Jamulus", "--nogui", "--server", "--port", port]
        stack.enter_context(Background(serve, own("server")))
        join = ("Jamulus", "--nogui", "--connect", f"{address}:{port}", "--nojackconnect")
        words = (*join, "--mutemyown", "--clientname", "player")
        near = stack.enter_context(here.run(*words, **own("near")))
        stack.enter_context(there.run(*words, **own("far")))
        far = ("Jamulus player:output left", "Jamulus player:input left")
        yield Loop("Jamulus player:input left", "Jamulus player:output left", far, near.process.pid)
