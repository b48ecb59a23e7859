from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from midipool_client.link.session import LinkSession
from midipool_demo.jack_server import JackServer
from tests.e2e.conftest import LONG_PERIOD, needs_jackd
from tests.netlab import Host, Lab, why_unavailable

from .peers import LibraryApp, LinkHut, OtherApp, needs_link_hut
from .room import session_on


@pytest.fixture
def networks() -> Iterator[Callable[[], tuple[Host, Host]]]:
    """Makes networks that know nothing of one another: (the bridge's host, the DAW's)."""
    if reason := why_unavailable():
        pytest.skip(reason)
    with ExitStack() as stack:

        def network() -> tuple[Host, Host]:
            lab = stack.enter_context(Lab())
            hosts = lab.host("player"), lab.host("daw")
            for host in hosts:
                lab.cable(host)
            return hosts

        yield network


@pytest.fixture
def network(networks: Callable[[], tuple[Host, Host]]) -> tuple[Host, Host]:
    return networks()


@pytest.fixture
def looker(network: tuple[Host, Host]) -> Iterator[LinkSession]:
    """One more peer, on the DAW's host, that only looks."""
    with session_on(network[1]) as session:
        yield session


@pytest.fixture(params=["library", "LinkHut"])
def other(request: pytest.FixtureRequest, network: tuple[Host, Host]) -> Iterator[OtherApp]:
    """The other side of Link's test plan, on the DAW's host."""
    if request.param == "library":
        app: OtherApp = LibraryApp(network[1])
        yield app
        app.close()
        return
    needs_link_hut()
    needs_jackd()
    with JackServer(period=LONG_PERIOD) as jack:
        jack.wait_ready()
        app = LinkHut(network[1], jack)
        yield app
        app.close()
