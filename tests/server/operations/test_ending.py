"""A server that is told to end: who is there hears of it, nobody else comes in, and it ends."""

import asyncio
import json
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from midipool_demo.background import Background
from midipool_demo.stage import free_port
from midipool_server.operations import systemd
from midipool_server.operations.ending import Ending
from midipool_server.operations.readiness import Readiness
from tests.server.test_web import HELLO, Server, closed, receive

MEMBER = {**HELLO, "capabilities": ["going_down"]}


class Draining(Server):
    """A server that can be told to end."""

    def __init__(self, drain_s: float) -> None:
        super().__init__()
        self.readiness = Readiness()
        self.readiness.listening = True
        self.ending = Ending(self.host, self.readiness, drain_s)

    async def start(self) -> None:
        await super().start()
        self.waiting = asyncio.create_task(self.ending.wait())

    async def ended(self) -> None:
        async with asyncio.timeout(10):
            await self.waiting


@pytest.fixture
async def server() -> AsyncIterator[Draining]:
    made = Draining(drain_s=3600)
    await made.start()
    yield made
    made.waiting.cancel()
    await made.stop()


async def join(server: Server, **more: object) -> aiohttp.ClientWebSocketResponse:
    joining = await server.connect()
    await joining.send_json({**MEMBER, **more})
    return joining


async def test_members_are_told_and_play_on_and_nobody_else_is_let_in(server: Draining) -> None:
    drums = await join(server)
    token = (await receive(drums, "welcome"))["token"]
    assert await server.readiness.lacks() == []
    server.ending.terminate()
    told = await receive(drums, "going_down")
    assert told == {"type": "going_down", "reason": "the server goes down", "in_s": 3600.0}
    assert await server.readiness.lacks() == ["the server goes down"]
    bass = await join(server, name="bass")
    assert (await receive(bass, "error"))["code"] == "going_down"
    # It may try again: another server will be there.
    assert await closed(bass) == aiohttp.WSCloseCode.GOING_AWAY
    # Who is here plays on, comes back to its place, and can be reached by a shell.
    await drums.send_json({"type": "start", "id": 1})
    assert (await receive(drums, "ok"))["id"] == 1
    again = await join(server, token=token)
    assert (await receive(again, "welcome"))["token"] == token
    shell = await join(server, name="remote", role="remote")
    await receive(shell, "welcome")
    assert not server.waiting.done()
    # It ends when nobody is left.
    await again.close()
    await server.ended()


async def test_who_does_not_leave_is_left_after_a_while() -> None:
    server = Draining(drain_s=0.2)
    await server.start()
    drums = await server.join("drums")
    server.ending.terminate()
    await server.ended()
    stopping = asyncio.create_task(server.runner.cleanup())
    assert (await receive(drums, "closing"))["reason"] == "the server shuts down"
    await stopping
    await server.stop()


async def test_a_second_signal_ends_it_at_once(server: Draining) -> None:
    drums = await join(server)
    server.ending.terminate()
    await receive(drums, "going_down")
    assert not server.waiting.done()
    server.ending.terminate()
    await server.ended()


async def test_an_older_client_hears_nothing_new(server: Draining) -> None:
    drums = await server.join("drums")
    server.ending.terminate()
    await drums.send_json({"type": "clock_probe", "t1_ns": 1})
    kinds: list[str] = []
    while not kinds or kinds[-1] != "clock_reply":
        kinds.append(json.loads(await drums.receive_str())["type"])
    assert "going_down" not in kinds


def test_the_program_drains_and_tells_systemd() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd_end,
    ):
        path = str(Path(folder) / "notify")
        systemd_end.bind(path)
        systemd_end.settimeout(10)
        env = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000", "MIDIPOOL_LOG_FORMAT": "json"}
        port = free_port()
        with Background.python("midipool_server", "--port", str(port), env=env) as server:
            heard = [systemd_end.recv(100) for _ in range(3)]
            assert heard.count(b"READY=1") == 1
            assert heard.count(b"WATCHDOG=1") == 2
            asyncio.run(_in_the_room_while_it_ends(server, port))
            while systemd_end.recv(100) != b"STOPPING=1":
                pass
            assert server.process.wait(10) == 0
            told = [json.loads(line) for line in server.output().splitlines() if line[0] == "{"]
    messages = [line["message"] for line in told]
    assert "draining: 1 members, at most 5 s" in messages


async def _in_the_room_while_it_ends(server: Background, port: int) -> None:
    base = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as http:
        async with http.get(base + "/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ready"})
        async with http.ws_connect(base + "/jam") as member:
            await member.send_json(MEMBER)
            await receive(member, "welcome")
            server.send(signal.SIGTERM)
            await receive(member, "going_down")
            async with http.get(base + "/readyz") as answer:
                assert answer.status == 503
            async with http.get(base + "/healthz") as answer:
                assert answer.status == 200


def test_systemd_is_told_only_where_it_asks(tmp_path: Path) -> None:
    systemd.notify("READY=1", {})
    assert systemd.watchdog_s({}) is None
    assert systemd.watchdog_s({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}) is None
    assert systemd.watchdog_s({"WATCHDOG_USEC": "30000000"}) == 15.0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as abstract:
        abstract.bind(f"\0{tmp_path}")
        systemd.notify("READY=1", {"NOTIFY_SOCKET": f"@{tmp_path}"})
        abstract.settimeout(10)
        assert abstract.recv(100) == b"READY=1"
