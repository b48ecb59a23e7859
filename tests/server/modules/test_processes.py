"""A real server runs modules of its operator's, as real processes."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from midipool.messages import hello
from midipool_client.room_url import parse_room_url
from midipool_client.server_link import ServerLink
from midipool_demo.background import Background
from midipool_demo.stage import free_port

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

    def __init__(self, folder: Path) -> None:
        self.port, self.pid_file = free_port(), folder / "pid"
        (folder / "pulse.py").write_text(PULSE)
        pulse = [sys.executable, str(folder / "pulse.py"), "{url}", str(self.pid_file)]
        broken = [sys.executable, "-c", "raise ValueError('no tempo')"]
        text = "".join(
            f"[{name}]\ncommand = {json.dumps(command)}\n"
            for name, command in (("pulse", pulse), ("broken", broken))
        )
        (folder / "modules.toml").write_text(text)
        options = ["--port", str(self.port), "--no-media", "--state-dir", str(folder / "state")]
        options += ["--modules", str(folder / "modules.toml"), "--drain-s", "0"]
        self.program = Background.python("midipool_server", *options)

    def modules(self) -> dict[str, dict[str, Any]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/rooms/jam") as answer:
            return {module["name"]: module for module in json.load(answer)["modules"]}

    def pid(self) -> int:
        return int(self.pid_file.read_text() or 0) if self.pid_file.exists() else 0


async def until(done: Callable[[], bool]) -> None:
    """A program that imports numpy takes its time to start on a busy machine."""
    async with asyncio.timeout(25):
        while not await asyncio.to_thread(done):  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.05)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    with made.program as program:
        program.wait_for_output("midipool-server: ws://", 20)
        yield made


async def test_a_module_that_is_killed_is_back_and_goes_with_the_server(served: Served) -> None:
    url = parse_room_url(f"ws://127.0.0.1:{served.port}/jam")
    async with ServerLink(url, hello("anna")) as link:
        await link.hello()
        await until(lambda: served.pid() > 0)
        first = served.pid()
        os.kill(first, signal.SIGKILL)
        await until(lambda: served.pid() != first)
        second = served.pid()
        shown = await asyncio.to_thread(served.modules)
        assert shown["pulse"]["restarts"] == 1
        assert shown["pulse"]["degraded"]
        await until(lambda: "no tempo" in served.modules().get("broken", {}).get("why", ""))
        assert await asyncio.to_thread(served.program.stop) == 0
        with pytest.raises(ProcessLookupError):
            os.kill(second, 0)


def test_a_file_that_is_wrong_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("[a]\ncommand = []\n")
    options = ("--port", str(free_port()), "--no-media", "--modules", str(tmp_path / "m.toml"))
    with Background.python("midipool_server", *options) as program:
        assert program.process.wait(20) == 1
        assert "m.toml" in program.output()
        assert "length >= 1" in program.output()
