"""Home routers, probed from both sides with plain UDP sockets (after RFC 5780)."""

import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from . import Access, Host, Impairment, Lab, Nat, Router, two_homes, why_no_routers
from .namespaces import NAMESPACES
from .nat import KINDS

pytestmark = [pytest.mark.netns, pytest.mark.idle]
Address = tuple[str, int]
WITHIN_S = 5.0


@pytest.fixture
def lab() -> Iterator[Lab]:
    if reason := why_no_routers():
        pytest.skip(reason)
    with Lab() as made:
        yield made


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline_s, "it does not happen"
        select.select([], [], [], 0.01)


def udp(host: Host) -> socket.socket:
    opened = host.socket(port=0)
    opened.settimeout(WITHIN_S)
    return opened


def seen_at(sender: socket.socket, receiver: socket.socket) -> Address:
    """Send a datagram; return whom it comes from as the other end sees it."""
    sender.sendto(b"hello", receiver.getsockname())
    data, source = receiver.recvfrom(100)
    assert data == b"hello"
    host, port = source
    return host, port


def waiting(receiver: socket.socket) -> list[Address]:
    """Senders of the datagrams that have arrived."""
    sources = []
    while select.select([receiver], [], [], 0)[0]:
        sources.append(receiver.recvfrom(100)[1])
    return sources


class Internet:
    """A server with two ports, another server, and homes."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.server, self.other = lab.host("server"), lab.host("other")
        lab.join(self.other, self.server)
        self.asked, self.same_host = udp(self.server), udp(self.server)
        self.other_host = udp(self.other)
        self.all = [self.asked, self.same_host, self.other_host]

    def home(
        self, label: str, nat: Nat, there: Impairment | None = None
    ) -> tuple[Router, socket.socket]:
        """A router, and a socket on a host in its home."""
        router = self.lab.router(f"{label}-router", nat)
        self.lab.join(router, self.server, there)
        return router, udp(self.lab.behind(router, label))


@pytest.fixture
def internet(lab: Lab) -> Internet:
    return Internet(lab)


@pytest.mark.parametrize("nat", ["full-cone", "port-restricted"])
def test_mapping_is_the_same_whoever_is_asked(internet: Internet, nat: Nat) -> None:
    router, inside = internet.home("a", nat)
    mappings = {seen_at(inside, server) for server in internet.all}
    assert len(mappings) == 1
    assert mappings.pop()[0] == router.address


def test_mapping_of_a_symmetric_nat_is_another_for_each_port_and_host(internet: Internet) -> None:
    router, inside = internet.home("a", "symmetric")
    at_server, at_other = [], []
    for asked in (udp(internet.server) for _ in range(3)):
        at_server.append(seen_at(inside, asked))
        assert seen_at(inside, asked) == at_server[-1]
        same_port = internet.other.socket(port=asked.getsockname()[1])
        at_other.append(seen_at(inside, same_port))
    # Ports are drawn from 64,512, so two may be alike, but hardly three.
    assert len(set(at_server)) > 1
    assert at_server != at_other
    assert {address for address, _ in at_server + at_other} == {router.address}


def test_anybody_may_send_into_a_full_cone(internet: Internet) -> None:
    router, inside = internet.home("a", "full-cone")
    mapping = seen_at(inside, internet.asked)
    for server in internet.all:
        server.sendto(b"in", mapping)
        assert inside.recvfrom(100) == (b"in", server.getsockname())
    assert router.refused() == 0
    # An answer to who came by itself leaves by the same mapping.
    assert seen_at(inside, internet.other_host) == mapping


@pytest.mark.parametrize("nat", ["port-restricted", "symmetric"])
def test_only_who_was_sent_to_may_answer(internet: Internet, nat: Nat) -> None:
    router, inside = internet.home("a", nat)
    mapping = seen_at(inside, internet.asked)
    internet.same_host.sendto(b"in", mapping)
    internet.other_host.sendto(b"in", mapping)
    wait_until(lambda: router.refused() == 2)
    internet.asked.sendto(b"in", mapping)
    assert inside.recvfrom(100) == (b"in", internet.asked.getsockname())
    assert waiting(inside) == []


@pytest.mark.parametrize("nat", KINDS)
def test_a_port_nobody_has_sent_from_takes_nothing(internet: Internet, nat: Nat) -> None:
    router, inside = internet.home("a", nat)
    internet.asked.sendto(b"in", (router.address, inside.getsockname()[1]))
    wait_until(lambda: router.refused() == 1)
    assert waiting(inside) == []


def test_who_comes_too_early_does_not_spoil_the_mapping(internet: Internet) -> None:
    router, inside = internet.home("a", "port-restricted")
    mapping = seen_at(inside, internet.asked)
    internet.other_host.sendto(b"early", mapping)
    wait_until(lambda: router.refused() == 1)
    assert seen_at(inside, internet.other_host) == mapping
    internet.other_host.sendto(b"in", mapping)
    assert inside.recvfrom(100) == (b"in", internet.other_host.getsockname())


def gets_through(
    sender: socket.socket, target: Address, receiver: socket.socket, router: Router
) -> bool:
    """Send to a mapping of a router's; if that arrives behind it, answer to where it is from."""
    refused_before = router.refused()
    sender.sendto(b"punch", target)
    sources: list[Address] = []

    def is_settled() -> bool:
        sources.extend(waiting(receiver))
        return bool(sources) or router.refused() > refused_before

    wait_until(is_settled)
    for source in sources:
        receiver.sendto(b"answer", source)
        assert sender.recvfrom(100) == (b"answer", target)
    return bool(sources)


def meet(internet: Internet, a_nat: Nat, b_nat: Nat) -> bool:
    """Send from two homes to each other's mapping at the server, as hole punching does."""
    (a_router, a), (b_router, b) = internet.home("a", a_nat), internet.home("b", b_nat)
    a_mapping, b_mapping = seen_at(a, internet.asked), seen_at(b, internet.asked)
    ways = [(a, b_mapping, b, b_router), (b, a_mapping, a, a_router)]
    return any([gets_through(*way) for way in ways * 2])


@pytest.mark.parametrize(
    ("a_nat", "b_nat", "meets"),
    [
        ("port-restricted", "port-restricted", True),
        ("symmetric", "full-cone", True),
        ("symmetric", "port-restricted", False),
        ("symmetric", "symmetric", False),
    ],
)
def test_homes_meet_exactly_where_punching_can_work(
    internet: Internet, a_nat: Nat, b_nat: Nat, meets: bool
) -> None:
    assert meet(internet, a_nat, b_nat) is meets


def test_udp_and_tcp_get_out_through_a_link_with_delay(internet: Internet) -> None:
    router, inside = internet.home("a", "symmetric", Impairment(delay_ms=5))
    assert seen_at(inside, internet.other_host)[0] == router.address
    listening = internet.server.socket(socket.SOCK_STREAM, port=0)
    listening.listen()
    calling = internet.lab.behind(router, "second").socket(socket.SOCK_STREAM)
    calling.settimeout(WITHIN_S)
    calling.connect(listening.getsockname())
    taken, (address, _) = listening.accept()
    with taken:
        assert address == router.address
        taken.sendall(b"welcome")
        assert calling.recv(100) == b"welcome"


@pytest.mark.parametrize(("out", "into"), [(True, True), (False, True), (True, False)])
def test_what_is_cut_does_not_pass_until_it_is_mended(
    internet: Internet, out: bool, into: bool
) -> None:
    router, inside = internet.home("a", "port-restricted")
    mapping = seen_at(inside, internet.asked)
    seen_at(inside, internet.other_host)
    router.cut(internet.server.address, out=out, into=into)
    inside.sendto(b"out", internet.asked.getsockname())
    internet.asked.sendto(b"into", mapping)
    # Behind both of them, by another way.
    assert seen_at(inside, internet.other_host) == mapping
    internet.other_host.sendto(b"last", mapping)
    assert inside.recvfrom(100)[0] == (b"last" if into else b"into")
    assert waiting(internet.asked) == ([] if out else [mapping])
    router.mend()
    assert seen_at(inside, internet.asked) == mapping


def test_hosts_of_one_home_reach_each_other_without_the_nat(lab: Lab) -> None:
    router = lab.router("router", "port-restricted", home="192.168.7")
    first, second = udp(lab.behind(router, "first")), udp(lab.behind(router, "second"))
    assert seen_at(first, second) == first.getsockname()
    assert first.getsockname()[0] == "192.168.7.2"


def test_a_host_moves_into_another_home(internet: Internet) -> None:
    first, _ = internet.home("a", "port-restricted")
    second, _ = internet.home("b", "symmetric")
    host = internet.lab.behind(first, "traveller")
    inside = host.socket()
    inside.settimeout(WITHIN_S)
    assert seen_at(inside, internet.asked)[0] == first.address
    internet.lab.move(host, second)
    # The same socket, which is bound to no address, goes on.
    assert seen_at(inside, internet.asked)[0] == second.address
    assert host.address.startswith("192.168.2.")


def test_homes_may_have_the_same_network(internet: Internet) -> None:
    seen = set()
    for label in ("a", "b"):
        router = internet.lab.router(f"{label}-router", "full-cone", home="192.168.1")
        internet.lab.join(router, internet.server)
        seen.add(seen_at(udp(internet.lab.behind(router, label)), internet.asked)[0])
    assert len(seen) == 2


@pytest.mark.parametrize("access", ["none", "symmetric"])
@pytest.mark.parametrize("impairment", [None, Impairment()])
def test_two_homes_reach_the_server(
    lab: Lab, access: Access, impairment: Impairment | None
) -> None:
    server, *homes = two_homes(lab, access, "port-restricted", impairment)
    for home in homes:
        outside = home.router or home.host
        assert seen_at(udp(home.host), udp(server))[0] == outside.address
        assert (home.router is None) == (home.host.address == outside.address)
        home.link.down()
        home.link.up()
        assert seen_at(udp(home.host), udp(server))[0] == outside.address


def test_routers_and_their_hosts_are_gone_with_the_lab(lab: Lab) -> None:
    before = set(NAMESPACES.glob(f"mp-{os.getpid()}-*"))
    with Lab() as ending:
        ending.behind(ending.router("router", "symmetric"), "a")
        assert len(set(NAMESPACES.glob(f"mp-{os.getpid()}-*")) - before) == 2
    assert set(NAMESPACES.glob(f"mp-{os.getpid()}-*")) == before


def test_a_nat_that_does_not_exist_is_refused(lab: Lab) -> None:
    nat: Any = "conical"
    with pytest.raises(ValueError, match="full-cone, port-restricted, symmetric"):
        lab.router("router", nat)
