import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from midipool.errors import Unavailable
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import Stage
from midipool_native import roc
from midipool_native.media import sodium_found

# A busy machine may let JACK wait for some ms. Frames are lost where that is a period, and what is
# heard around it is moved: so tests have long periods. The demo and the benchmarks have short ones.
LONG_PERIOD = 1024


def needs_jackd() -> None:
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed: apt-get install jackd2")


def needs_audio() -> None:
    needs_jackd()
    try:
        roc.find()
    except Unavailable as error:
        pytest.skip(str(error))
    if not sodium_found():
        pytest.skip("libsodium is not installed: apt-get install libsodium23")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A server and two players, on real JACK servers."""
    needs_jackd()
    with Stage(("drums", "bass"), home=tmp_path, period=LONG_PERIOD) as made:
        yield made
        # Shown only where a test fails.
        for player in made.players:
            sys.stdout.write(f"---- the client {player.name} said:\n{player.client.output()}\n")


@pytest.fixture(scope="module")
def band(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The same for all tests of a module, with settings and tokens of its own."""
    needs_jackd()
    home = tmp_path_factory.mktemp("band")
    with Stage(("drums", "bass"), home=home, period=LONG_PERIOD) as made:
        yield made


@pytest.fixture
def jack() -> Iterator[JackServer]:
    """A real JACK server."""
    needs_jackd()
    with JackServer(period=LONG_PERIOD) as server:
        server.wait_ready()
        yield server
