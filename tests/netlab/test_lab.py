"""Hosts, cables and what is left of them."""

import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from . import Host, Impairment, Lab, why_unavailable
from .namespaces import NAMESPACES
from .processes import stop
from .udp_flow import UdpFlow

pytestmark = [pytest.mark.netns, pytest.mark.idle]

ECHO = """
import socket, sys
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind((sys.argv[1], 7))
sys.stdout.write("ready\\n")
sys.stdout.flush()
while True:
    echo.sendto(*echo.recvfrom(2048))
"""
STUBBORN = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stdout.write("ready\\n")
sys.stdout.flush()
signal.pause()
"""
# A lab whose process dies without a chance to clean up.
ABANDONED = """
import os, signal, subprocess, sys
from netlab import Impairment, Lab
lab = Lab().__enter__()
a, b = lab.host("a"), lab.host("b")
lab.join(a, b)
link = lab.tun_link(a, b, Impairment())
sleeper = a.popen(["sleep", "1000"], stdout=subprocess.DEVNULL)
sys.stdout.write(f"{a.name} {b.name} {link.pid} {sleeper.pid}")
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


class OnPurposeError(Exception):
    pass


def start_script(host: Host, script: str, *arguments: str) -> subprocess.Popen[bytes]:
    process = host.popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def namespaces_of(pid: int) -> list[str]:
    return [path.name for path in NAMESPACES.glob(f"mp-{pid}-*")]


def is_gone(pid: int, within_s: float = 5.0) -> bool:
    """Wait for a process that may be anyone's child to end."""
    try:
        ended = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([ended], [], [], within_s)[0])
    finally:
        os.close(ended)


def test_a_process_echoes_on_another_host(lab: Lab) -> None:
    server, a = lab.host("server"), lab.host("a")
    lab.join(a, server)
    start_script(server, ECHO, server.address)
    asking = a.socket(port=0)
    asking.settimeout(5)
    asking.sendto(b"hello", (server.address, 7))
    assert asking.recvfrom(100) == (b"hello", (server.address, 7))


def test_run_sees_the_host_and_not_the_machine(lab: Lab) -> None:
    host = lab.host("alone")
    assert [line.split(":")[1] for line in host.run(["ip", "-o", "link"]).stdout.splitlines()] == [
        " lo"
    ]
    with pytest.raises(subprocess.CalledProcessError):
        host.run(["false"])
    assert host.run(["false"], check=False).returncode == 1


def test_loopback_is_up(lab: Lab) -> None:
    host = lab.host("alone")
    listening = host.socket(socket.SOCK_STREAM)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    host.socket(socket.SOCK_STREAM).connect(listening.getsockname())


@pytest.mark.parametrize("a_there", [None, Impairment()])
@pytest.mark.parametrize("b_there", [None, Impairment()])
def test_all_hosts_reach_each_other(
    lab: Lab, a_there: Impairment | None, b_there: Impairment | None
) -> None:
    server, a, b = lab.host("server"), lab.host("a"), lab.host("b")
    lab.join(a, server, a_there)
    lab.join(b, server, b_there)
    for sender, receiver in [(a, server), (server, b), (a, b), (b, a)]:
        UdpFlow(sender, receiver).exchange(10)


def test_hosts_may_have_ipv6_and_nothing_else() -> None:
    if reason := why_unavailable():
        pytest.skip(reason)
    with Lab(ipv6=True) as lab:
        server, a, b = lab.host("server"), lab.host("a"), lab.host("b")
        for host in (a, b):
            lab.join(host, server)
        for sender, receiver in [(a, server), (a, b)]:
            UdpFlow(sender, receiver).exchange(10)
        assert a.address.startswith("fd77:")
        assert "inet 10." not in a.ip("address")


def test_a_pulled_cable_carries_nothing_until_plugged_in(lab: Lab) -> None:
    server, a, b = lab.host("server"), lab.host("a"), lab.host("b")
    cable = lab.join(a, server)
    lab.join(b, server)
    cut, whole = UdpFlow(a, server), UdpFlow(b, server)
    cut.exchange(10)
    cable.down()
    cut.send(10)
    whole.exchange(10)
    assert cut.receive_until(lambda: len(cut.arrivals) > 10, within_s=0.1) is False
    cable.up()
    cut.exchange(10)


def test_labs_side_by_side_have_networks_of_their_own(lab: Lab) -> None:
    with Lab() as other:
        first, second = lab.host("same"), other.host("same")
        assert first.name != second.name
        assert first.address.rsplit(".", 1)[0] != second.address.rsplit(".", 1)[0]


def test_labels_that_make_no_name_are_refused(lab: Lab) -> None:
    with pytest.raises(ValueError, match="label"):
        lab.host("../../etc")


def test_nothing_is_left_after_an_exception(lab: Lab) -> None:
    before = namespaces_of(os.getpid())
    with suppress(OnPurposeError), Lab() as failing:
        a, b = failing.host("a"), failing.host("b")
        failing.join(a, b)
        link = failing.tun_link(a, b, Impairment())
        willing = start_script(a, ECHO, a.address)
        grandparent = a.popen(["sh", "-c", "sleep 1000 & echo $!; wait"], stdout=subprocess.PIPE)
        assert grandparent.stdout is not None
        grandchild = int(grandparent.stdout.readline())
        opened = a.socket(port=0)
        assert len(namespaces_of(os.getpid())) == len(before) + 3
        with pytest.raises(OSError, match="exists"):
            failing.host("a")
        raise OnPurposeError
    assert namespaces_of(os.getpid()) == before
    assert willing.returncode == -signal.SIGTERM
    assert is_gone(link.pid)
    assert is_gone(grandchild)
    assert opened.fileno() == -1


def test_a_process_that_ignores_its_end_is_killed(lab: Lab) -> None:
    stubborn = start_script(lab.host("a"), STUBBORN)
    stop([stubborn], patience_s=0.1)
    assert stubborn.returncode == -signal.SIGKILL


def test_sweep_removes_what_a_killed_process_left(lab: Lab) -> None:
    living = lab.host("living")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    abandoned = subprocess.run(
        [sys.executable, "-c", ABANDONED], env=environment, stdout=subprocess.PIPE, text=True
    )
    *names, forwarder, sleeper = abandoned.stdout.split()
    assert is_gone(int(forwarder))  # by itself: its parent is gone
    Lab.sweep()
    assert is_gone(int(sleeper))
    assert not [name for name in names if (NAMESPACES / name).exists()]
    assert living.name in namespaces_of(os.getpid())


def test_why_unavailable_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert why_unavailable() == "network namespaces need root"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "")
    assert why_unavailable() == "the command ip (iproute2) is not installed"
