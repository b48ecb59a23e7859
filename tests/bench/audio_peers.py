"""JackTrip and Jamulus between two JACK servers, for `./run bench audio`.

Both without a window, and with the far player's output joined to its own input.
"""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import free_port

PORTS_S = 10.0


@dataclass(frozen=True)
class Loop:
    """Sound that goes into `sink` on the first JACK server comes back at `source`."""

    sink: str
    source: str
    far: tuple[str, str]
    """On the second JACK server: the output that is joined to the input of the way back."""
    pid: int
    """The process whose share of a core counts: that of the first player."""


def missing(*programs: str) -> str | None:
    """Which of these programs is not installed."""
    return next((program for program in programs if shutil.which(program) is None), None)


@contextlib.contextmanager
def jacktrip(here: JackServer, there: JackServer) -> Iterator[Loop]:
    """JackTrip, one to one, with the shortest queue that it takes."""
    port = str(free_port())
    common = ["jacktrip", "-q", "2", "-n", "2", "-D", "-J", "JackTrip"]
    far = ("JackTrip:receive_1", "JackTrip:send_1")
    with Background([*common, "-s", "-B", port], there.env) as server:
        server.wait_for_output("Waiting for Connection From a Client", PORTS_S)
        with Background([*common, "-c", "127.0.0.1", "-P", port], here.env) as client:
            client.wait_for_output("Received Connection", PORTS_S)
            yield Loop("JackTrip:send_1", "JackTrip:receive_1", far, client.process.pid)


@contextlib.contextmanager
def jamulus(here: JackServer, there: JackServer, home: Path) -> Iterator[Loop]:
    """Jamulus through a server of its own; nobody hears himself. Settings are its defaults."""
    port = str(free_port())
    with contextlib.ExitStack() as stack:

        def start(name: str, env: dict[str, str], *words: str) -> Background:
            own = {**env, "HOME": str(home / name), "QT_QPA_PLATFORM": "offscreen"}
            (home / name).mkdir()
            return stack.enter_context(Background(["Jamulus", "--nogui", *words], own))

        start("server", {}, "--server", "--port", port)
        words = ("--connect", f"127.0.0.1:{port}", "--nojackconnect", "--mutemyown")
        near = start("near", here.env, *words, "--clientname", "player")
        start("far", there.env, *words, "--clientname", "player")
        far = ("Jamulus player:output left", "Jamulus player:input left")
        yield Loop("Jamulus player:input left", "Jamulus player:output left", far, near.process.pid)
