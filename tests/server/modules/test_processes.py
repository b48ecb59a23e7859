"""A real server runs modules of its operator's, as real processes."""

import asyncio
import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from midipool.messages import AddModule, hello
from midipool_client.room_url import parse_room_url
from midipool_client.server_link import ServerLink
from midipool_demo.background import Background
from midipool_demo.stage import free_port
from tests.server.access.test_tls import CERT_1, KEY_1

PULSE = """
import asyncio, os, sys
from midipool_client import Module
async def main():
    async with Module(sys.argv[1], audio_in=0, audio_out=0) as module:
        open(sys.argv[2], "w").write(str(os.getpid()))
        async for block in module:
            pass
asyncio.run(main())
"""


class Served:
    """A server with its file of modules."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", listed: bool = True) -> None:
        self.host, self.port, self.pid_file = host, free_port(), folder / "pid"
        self.folder, self.cert = folder, ""
        (folder / "pulse.py").write_text(PULSE)
        pulse = [sys.executable, str(folder / "pulse.py"), "{url}", str(self.pid_file)]
        broken = [sys.executable, "-c", "raise ValueError('no tempo')"]
        text = "".join(
            f"[{name}]\ncommand = {json.dumps(command)}\nlisted = {json.dumps(listed)}\n"
            for name, command in (("pulse", pulse), ("broken", broken))
        )
        (folder / "modules.toml").write_text(text)
        self.options = ["--host", host, "--port", str(self.port), "--no-media"]
        self.options += ["--state-dir", str(folder / "state"), "--drain-s", "0"]
        self.options += ["--modules", str(folder / "modules.toml")]

    def with_tls(self) -> None:
        self.cert = str(self.folder / "cert.pem")
        for name, text in (("cert.pem", CERT_1), ("key.pem", KEY_1)):
            (self.folder / name).write_text(text)
        self.options += ["--tls-cert", self.cert, "--tls-key", str(self.folder / "key.pem")]

    def program(self) -> Background:
        return Background.python("midipool_server", *self.options)

    def modules(self, token: str = "") -> dict[str, dict[str, Any]]:
        secure = "s" if self.cert else ""
        address = f"http{secure}://{self.host}:{self.port}/api/rooms/jam"
        asked = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
        trust = ssl._create_unverified_context() if self.cert else None
        with urllib.request.urlopen(asked, context=trust) as answer:
            return {module["name"]: module for module in json.load(answer)["modules"]}

    def pid(self) -> int:
        return int(self.pid_file.read_text() or 0) if self.pid_file.exists() else 0

    @contextlib.asynccontextmanager
    async def member(self, password: str | None = None, token: str = "") -> AsyncIterator[Any]:
        secure = "s" if self.cert else ""
        url = parse_room_url(f"ws{secure}://{self.host}:{self.port}/jam")
        said = hello("anna", password=password, token=token)
        async with ServerLink(replace(url, certificate=self.cert), said) as link:
            yield link, await link.hello()


def store_password(folder: Path, password: str) -> None:
    command = [sys.executable, "-m", "midipool_server", "password", "jam"]
    command += ["--state-dir", str(folder)]
    said = f"{password}\n"
    subprocess.run(command, input=said, text=True, check=True, capture_output=True)


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


async def until(done: Callable[[], bool]) -> None:
    """A program that imports numpy takes its time to start on a busy machine."""
    async with asyncio.timeout(25):
        while not await asyncio.to_thread(done):  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.05)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Served, Background]]:
    made = Served(tmp_path)
    with made.program() as program:
        program.wait_for_output("midipool-server: ws://", 20)
        yield made, program


async def test_a_module_that_is_killed_is_back_and_goes_with_the_server(
    served: tuple[Served, Background],
) -> None:
    server, program = served
    async with server.member():
        await until(lambda: server.pid() > 0)
        first = server.pid()
        os.kill(first, signal.SIGKILL)
        await until(lambda: server.pid() != first)
        second = server.pid()
        await until(lambda: server.modules()["pulse"]["state"] == "degraded")
        shown = await asyncio.to_thread(server.modules)
        assert shown["pulse"]["restarts"] == 1
        assert "code -9" in shown["pulse"]["why"]
        await until(lambda: "no tempo" in server.modules().get("broken", {}).get("why", ""))
        program.send(signal.SIGTERM)
        assert await asyncio.to_thread(program.process.wait, 20) == 0
        assert not alive(second)


async def test_tls_a_password_and_kill_9_do_not_keep_a_module_out(tmp_path: Path) -> None:
    # The certificate is not for this address.
    server = Served(tmp_path, "127.0.0.2", listed=False)
    server.with_tls()
    store_password(tmp_path / "state", "secret")
    with server.program() as program:
        program.wait_for_output("midipool-server: wss://", 20)
        async with server.member("secret") as (link, welcome):
            await link.send(AddModule(id=1, program="pulse"))
            token = welcome.token
            await until(lambda: server.pid() > 0)
            first = server.pid()
            assert (await asyncio.to_thread(server.modules, token))["pulse"]["state"] == "playing"
            # It is written a tenth of a second later.
            state = tmp_path / "state" / "rooms" / "room-jam.json"
            await until(lambda: state.exists() and '"pulse"' in state.read_text())
            program.process.kill()
            await until(lambda: not alive(first))
    with server.program() as program:
        program.wait_for_output("midipool-server: wss://", 20)
        assert "1 came back" in program.output()
        async with server.member(token=token):
            await until(lambda: server.pid() != first)
            await until(lambda: server.modules(token)["pulse"]["state"] == "playing")


def test_a_file_that_is_wrong_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("[a]\ncommand = []\n")
    options = ("--port", str(free_port()), "--no-media", "--modules", str(tmp_path / "m.toml"))
    with Background.python("midipool_server", *options) as program:
        assert program.process.wait(20) == 1
        assert "m.toml: a: " in program.output()
        assert "length >= 1" in program.output()
