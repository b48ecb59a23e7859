"""A LAN: a server that announces itself is found from another host, goes, and vanishes."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from midipool_demo.background import child_environment
from tests.e2e.waiting import wait_until
from tests.netlab import Host, Lab, why_unavailable

pytestmark = [pytest.mark.netns, pytest.mark.idle, pytest.mark.timeout(60)]

FLOOD_PORT = 9
FLOOD = str(Path(__file__).with_name("lan_flood.py"))


@pytest.fixture
def lab() -> Iterator[Lab]:
    if reason := why_unavailable():
        pytest.skip(reason)
    with Lab() as made:
        yield made


def start(host: Host, home: Path, *words: str) -> "subprocess.Popen[str]":
    env = child_environment({"MIDIPOOL_ANNOUNCE": "true", "HOME": str(home)})
    process: subprocess.Popen[str] = host.popen(
        [sys.executable, *words], env=env, stdout=subprocess.PIPE, text=True
    )
    return process


def discover(host: Host) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "midipool_client", "discover", "--json", "--seconds=0.8"]
    inside = ["ip", "netns", "exec", host.name, *command]
    done = subprocess.run(inside, env=child_environment(), capture_output=True, text=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert done.returncode == (0 if found else 1)
    assert all(str(one["name"]).isprintable() for one in found)
    return found


def test_servers_are_found_on_a_lan_and_go(lab: Lab, tmp_path: Path) -> None:
    """Meanwhile a machine of it announces thousands of others."""
    stage, guest, evil = hosts = [lab.host(name) for name in ("stage", "guest", "evil")]
    for host in hosts:
        lab.cable(host)
        host.ip("route", "add", "default", "dev", host.devices()[0])
    hosting = ("-m", "midipool_client", "host", "jam", "--no-page", "--title=Ann's kitchen")
    server = (
        "-m",
        "midipool_server",
        "--no-media",
        "--plain-text",
        "--announce-name=Ann's kitchen",
    )
    first, second, hidden, flood = started = [
        start(stage, tmp_path, *hosting),
        start(stage, tmp_path, *server, "--host", stage.address, "--port", "9000"),
        start(stage, tmp_path, *server, "--host", "127.0.0.1", "--port", "9100"),
        start(evil, tmp_path, FLOOD, evil.address),
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline()

    def ours() -> dict[int, dict[str, Any]]:
        return {found["port"]: found for found in discover(guest) if found["port"] != FLOOD_PORT}

    wait_until(lambda: len(ours()) == 2, 10)
    found = ours()
    # The second one of a name is called otherwise, and the one on loopback is not there.
    assert {one["name"] for one in found.values()} == {"Ann's kitchen", "Ann's kitchen-2"}
    one, other = found[8765], found[9000]
    assert one["url"] == f"ws://{stage.address}:8765"
    assert (one["room"], one["rooms"], one["tls"], one["version"]) == ("jam", [], False, 1)
    assert (other["room"], other["rooms"]) == (None, None)
    assert one["answers"] is other["answers"] is True

    # Who says goodbye is gone at once; who vanishes does not answer.
    for process in (second, hidden, flood):
        process.kill()
    first.send_signal(signal.SIGTERM)
    assert first.wait(10) == 0
    left = ours()
    assert 8765 not in left
    assert not any(one["answers"] for one in left.values())
