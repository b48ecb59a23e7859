"""Which kind of router there is, and what doctor says of it."""

import subprocess
import sys

import pytest

from midipool.errors import Unavailable
from midipool.stun import Address, plain_address
from midipool_client.doctor.nat import NatLook, judge_nat, kind_of
from midipool_client.doctor.nat_look import find_servers, look_at_nat
from midipool_demo.background import child_environment
from midipool_demo.stage import free_port
from midipool_server import media_service
from tests.netlab import Access, Lab, make_home, why_no_routers
from tests.netlab.nat import KINDS

ACCESSES: tuple[Access, ...] = ("none", *KINDS)
LOCAL: Address = ("192.168.1.2", 5000)
SEEN: Address = ("203.0.113.1", 40_000)
OTHER: Address = ("203.0.113.1", 40_001)
LOOK = """
import sys
from midipool_client.doctor.nat import kind_of
from midipool_client.doctor.nat_look import look_at_nat
print(kind_of(look_at_nat([(sys.argv[1], 8766), (sys.argv[1], 8767)])))
"""


def look(*seen: Address, let_in: bool | None = False, places: int = 2) -> NatLook:
    return NatLook("192.0.2.1:3478", [LOCAL], list(seen), places, let_in)


@pytest.mark.parametrize(
    ("seen", "kind", "status", "words"),
    [
        (look(), "blocked", "warning", "no audio"),
        (look(LOCAL, LOCAL, let_in=True), "none", "good", "direct path to everybody"),
        (look(LOCAL, LOCAL), "firewall", "good", "firewall"),
        (look(SEEN, SEEN, let_in=True), "open cone", "good", "direct path to everybody"),
        (look(SEEN, SEEN), "port-restricted", "good", "but players whose router is symmetric"),
        (look(SEEN, SEEN, let_in=None), "cone", "good", "at least"),
        (look(SEEN, OTHER), "symmetric", "warning", "the server relays the others"),
    ],
)
def test_a_kind_is_named_with_what_it_means(
    seen: NatLook, kind: str, status: str, words: str
) -> None:
    assert kind_of(seen) == kind
    finding = judge_nat(seen)
    assert (finding.status, finding.figures["kind"]) == (status, kind)
    assert words in finding.text
    assert bool(finding.advice) == (status == "warning")


def test_what_cannot_be_known_is_said() -> None:
    assert "--stun" in judge_nat(None).advice
    alone = judge_nat(look(SEEN, places=1))
    assert alone.status == "unknown"
    assert "203.0.113.1:40000" in alone.text
    assert "--stun HOST:PORT --stun HOST:PORT" in alone.advice


@pytest.mark.parametrize("text", ["nowhere", ":3478", "host:", "host:0", "host:70000"])
def test_a_server_that_is_none_is_named(text: str) -> None:
    with pytest.raises(Unavailable, match=f"--stun '{text}'"):
        find_servers([text])
    assert find_servers(["127.0.0.1:3478", "[::ffff:127.0.0.1]:5"])[0] == ("127.0.0.1", 3478)


def test_a_server_that_is_not_there_is_blocked_and_none_is_none() -> None:
    seen = look_at_nat([("127.0.0.1", free_port())])
    assert seen is not None
    assert kind_of(seen) == "blocked"
    assert look_at_nat([]) is None


def test_this_machine_has_no_router_before_itself() -> None:
    port = free_port()
    relay = media_service.open_relay("127.0.0.1", port, 10, port + 1)
    assert relay is not None
    try:
        seen = look_at_nat([("127.0.0.1", port)])
    finally:
        relay.close()
    assert seen is not None
    assert (kind_of(seen), seen.let_in) == ("none", True)


def test_other_addresses_are_read_or_refused() -> None:
    assert plain_address(bytes([0, 1, 13, 150, 192, 0, 2, 9])) == ("192.0.2.9", 3478)
    for value in (b"", bytes(7), bytes([0, 2, 13, 150, 192, 0, 2, 9]), bytes(20)):
        assert plain_address(value) is None


@pytest.mark.netns
@pytest.mark.idle
def test_the_kernels_nats_are_told_apart() -> None:
    if reason := why_no_routers():
        pytest.skip(reason)
    expected = {
        "none": "none",
        "full-cone": "open cone",
        "port-restricted": "port-restricted",
        "symmetric": "symmetric",
    }
    with Lab() as lab:
        server = lab.host("server")
        words = [sys.executable, "-m", "midipool_server", "--host", "0.0.0.0", "--plain-text"]
        running = server.popen(words, env=child_environment(), stdout=subprocess.PIPE, text=True)
        assert running.stdout is not None
        with running.stdout:
            assert "ws://" in running.stdout.readline()
            homes = [make_home(lab, kind, kind, server) for kind in ACCESSES]
            asking = [
                home.host.popen(
                    [sys.executable, "-c", LOOK, server.address],
                    env=child_environment(),
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for home in homes
            ]
            found = [one.communicate(timeout=20)[0].strip() for one in asking]
    assert found == list(expected.values())
