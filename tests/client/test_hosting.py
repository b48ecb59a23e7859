"""A server beside the client: found by others, ended with us, and one clear error without it."""

import asyncio
import importlib.util
import os
import signal
import socket
import sys
from contextlib import suppress

import pytest

from midipool.errors import Unavailable
from midipool_client.hosting import Hosting
from midipool_client.room_url import parse_room_url
from midipool_demo.background import child_environment
from midipool_demo.stage import free_port
from tests.e2e.waiting import wait_until


@pytest.fixture(autouse=True)
def found_by_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", child_environment()["PYTHONPATH"])


async def test_a_room_is_open_as_long_as_we_host() -> None:
    port = free_port()
    async with Hosting("jam", port, announce=False) as hosting:
        url = parse_room_url(hosting.url)
        assert (url.port, url.room) == (port, "jam")
        assert any(f"midipool-client join {url}" in line for line in hosting.in_words())
        assert any("no TLS" in line for line in hosting.in_words())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b" 200 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1).close()


async def test_a_server_that_dies_is_told_of() -> None:
    async with Hosting("jam", free_port(), announce=False) as hosting:
        assert hosting._process is not None
        hosting._process.kill()
        with pytest.raises(Unavailable, match="midipool-server ended"):
            await hosting.wait()


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port}"):
            await Hosting("jam", port, announce=False).__aenter__()


async def test_without_a_server_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"no midipool-server.*midipool-client discover"):
        await Hosting("jam", free_port()).__aenter__()


async def test_the_server_does_not_outlive_a_client_that_is_killed() -> None:
    port = free_port()
    code = (
        "import asyncio\nfrom midipool_client.hosting import Hosting\n"
        "async def main():\n"
        f"    async with Hosting('jam', {port}, announce=False):\n"
        "        print('ready', flush=True)\n        await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert client.stdout is not None
    assert await client.stdout.readline() == b"ready\n"
    os.kill(client.pid, signal.SIGKILL)
    await client.wait()

    def refused() -> bool:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return False
        return True

    await asyncio.to_thread(wait_until, refused, 10)
