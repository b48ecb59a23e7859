"""Who takes part in `./run bench loss`: midiPool with a profile, JackTrip, Jamulus.

Two players, one of them behind a bad line; each contender begins anew on two JACK servers.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midipool_demo.jack_server import JackServer
from tests.bench import audio_peers
from tests.bench.audio_peers import Loop, Machine
from tests.bench.netstage import NetStage
from tests.e2e.waiting import wait_until
from tests.netlab.lab import Link
from tests.netlab.namespaces import Host

NAMES = ("a", "b")
JACKTRIP = {
    "JackTrip -q 2": ("-q", "2"),
    "JackTrip -q auto": ("-q", "auto"),
    "JackTrip -q auto -r 2": ("-q", "auto", "-r", "2"),
}

End = tuple[Host, Link, JackServer]


@dataclass(frozen=True)
class Seats:
    """Two players' places, one of them behind the bad line."""

    stage: NetStage
    machines: tuple[Machine, Machine]
    ends: tuple[End, End]


def take_seats(stage: NetStage) -> Seats:
    """Hosts, and JACK servers, for both."""
    ends = stage.prepare("a"), stage.prepare("b", plain=True)
    near, far = (
        Machine(jack, host.address, ("ip", "netns", "exec", host.name)) for host, _, jack in ends
    )
    return Seats(stage, (near, far), ends)


@contextlib.contextmanager
def contender(name: str, seats: Seats, home: Path) -> Iterator[Loop]:
    """Start one by its name; the ports of both ends."""
    near, far = seats.machines
    if name.startswith("midiPool"):
        _join(seats, name.split()[1])
        port = "midiPool-audio:audio_{}_1"
        ports = port.format("send"), port.format("receive")
        yield Loop(*ports, (ports[1], ports[0]), 0)
    elif name == "Jamulus":
        server = seats.stage.server_host
        entered = ("ip", "netns", "exec", server.name)
        with audio_peers.jamulus(near, far, home, server.address, entered) as loop:
            yield loop
    else:
        with audio_peers.jacktrip(near, far, *JACKTRIP[name]) as loop:
            yield loop


def _join(seats: Seats, profile: str) -> None:
    stage = seats.stage
    stage.start_server()
    for name, end in zip(NAMES, seats.ends, strict=True):
        stage.join(name, *end, audio=("--profile", profile))
    wait_until(lambda: len(hearings(stage)) == len(NAMES), 30)
    if profile == "bar":
        stage.conduct("start")


def hearings(stage: NetStage) -> list[dict[str, Any]]:
    """How each of the two hears the other, where it does."""
    heard = stage.try_status().get("hears", {}).values()
    return [h for of in heard for h in of if h["latency_ms"] is not None]
