"""Looks at a JACK server's connections, from a process of its own."""

import subprocess
import sys
from collections.abc import Mapping

from midipool_demo.background import Background, child_environment

LOOK = """
import sys, jack
client = jack.Client("look", no_start_server=True)
for port in client.get_all_connections(sys.argv[1]):
    print(port.name)
"""
CONNECT = """
import sys, jack
jack.Client("connect", no_start_server=True).connect(sys.argv[1], sys.argv[2])
"""
SET_PERIOD = """
import sys, jack
jack.Client("period", no_start_server=True).blocksize = int(sys.argv[1])
"""
CONNECT_WHEN_THERE = """
import sys, time, jack
client = jack.Client("connect", no_start_server=True)
give_up = time.monotonic() + 5
while time.monotonic() < give_up:
    try:
        client.connect(sys.argv[1], sys.argv[2])
        break
    except jack.JackError:
        time.sleep(0.05)
"""


def connections(env: Mapping[str, str], port: str) -> str:
    """The names of the ports that `port` is connected to, one a line; empty if it is not there."""
    return _run(env, LOOK, port)


def connect(env: Mapping[str, str], source: str, target: str) -> None:
    """Connect two ports of other clients."""
    _run(env, CONNECT, source, target)


def set_period(env: Mapping[str, str], frames: int) -> None:
    """Change the server's period while it runs."""
    _run(env, SET_PERIOD, str(frames))


def connecting(env: Mapping[str, str], source: str, target: str) -> Background:
    """A process that connects two ports as soon as they are there; it gives up after a while."""
    return Background([sys.executable, "-c", CONNECT_WHEN_THERE, source, target], env)


def _run(env: Mapping[str, str], code: str, *words: str) -> str:
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, env=child_environment(env), capture_output=True, text=True)
    return done.stdout
