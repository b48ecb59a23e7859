"""Debian's Firefox, headless, driven by WebDriver BiDi, which it speaks itself over a WebSocket."""

import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import pytest

from midipool_demo.background import Background
from tests.e2e.waiting import wait_until

T = TypeVar("T")
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
# It asks nobody on the network for anything.
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:1",
    "toolkit.telemetry.enabled": False,
}
START_S = 40.0
ANSWER_S = 20.0


class Firefox:
    """One window; a context manager. `errors` are what the page's scripts complained of."""

    def __init__(self) -> None:
        found = shutil.which("firefox-esr") or shutil.which("firefox")
        if found is None:
            pytest.skip("Firefox is not installed: apt-get install firefox-esr")
        self._profile = tempfile.TemporaryDirectory()
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
        Path(self._profile.name, "user.js").write_text("\n".join(lines))
        words = ["--headless", "--no-remote", "--profile", self._profile.name]
        words += ["--remote-debugging-port", "0"]
        # Its home too is its own, and its output is read.
        self._program = Background([found, *words], {"HOME": self._profile.name})
        self._loop = asyncio.new_event_loop()
        self._id = 0
        self.errors: list[str] = []

    def __enter__(self) -> Self:
        try:
            wait_until(lambda: LISTENING.search(self._program.output()) is not None, START_S)
            found = LISTENING.search(self._program.output())
            assert found is not None
            self._do(self._connect(f"{found[1]}/session"))
        except BaseException:
            self._end()
            raise
        return self

    def open(self, address: str) -> None:
        """Load a page."""
        self._ask("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """A script's value: a string, number, boolean or null."""
        answer = self._ask(
            "script.evaluate",
            expression=expression,
            target={"context": self._context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Until a script's value is true."""
        wait_until(lambda: bool(self.evaluate(f"Boolean({expression})")), ANSWER_S)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._do(self._answered(method, parameters))

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(asyncio.wait_for(work, ANSWER_S))

    async def _connect(self, address: str) -> None:
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(address, max_msg_size=1 << 26)
        await self._answered("session.new", {"capabilities": {}})
        await self._answered("session.subscribe", {"events": ["log.entryAdded"]})
        tree = await self._answered("browsingContext.getTree", {})
        self._context = tree["contexts"][0]["context"]

    async def _answered(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._id += 1
        await self._socket.send_json({"id": self._id, "method": method, "params": parameters})
        while True:
            message = json.loads((await self._socket.receive()).data)
            if message.get("method") == "log.entryAdded" and message["params"]["level"] == "error":
                self.errors.append(message["params"]["text"])
            if message.get("id") == self._id:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['message']}")
                result: dict[str, Any] = message["result"]
                return result

    async def _disconnect(self) -> None:
        await self._socket.close()
        await self._http.close()

    def _end(self) -> None:
        if hasattr(self, "_socket"):
            self._do(self._disconnect())
        self._loop.close()
        self._program.__exit__(None, None, None)
        self._profile.cleanup()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
