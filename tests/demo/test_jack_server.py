"""JACK's registry has few places: servers that were killed take none from those that come later."""

import os
import signal
import subprocess
import sys

import pytest

from midipool_demo.background import child_environment
from midipool_demo.jack_server import PLACES, JackServer
from tests.e2e.conftest import needs_jackd

pytestmark = [pytest.mark.jack, pytest.mark.idle]
# A program that is killed and leaves its server behind.
ABANDONED = """
import os, signal, sys
from midipool_demo.jack_server import JackServer
server = JackServer(period=1024)
server.wait_ready()
sys.stdout.write(f"{server.process.pid} {server.name}")
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_servers_take_no_place() -> None:
    needs_jackd()
    for _ in range(PLACES + 1):
        with JackServer(period=1024) as server:
            server.wait_ready()
            server.stop(signal.SIGKILL)


def test_servers_side_by_side_have_names_of_their_own_also_beside_one_left_behind() -> None:
    needs_jackd()
    command = [sys.executable, "-c", ABANDONED]
    done = subprocess.run(command, env=child_environment(), stdout=subprocess.PIPE, text=True)
    pid, name = done.stdout.split()
    try:
        with JackServer(period=1024) as first, JackServer(period=1024) as second:
            for server in (first, second):
                server.wait_ready()
            assert len({first.name, second.name, name}) == 3
    finally:
        os.kill(int(pid), signal.SIGTERM)
