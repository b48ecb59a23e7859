"""One player with options of its own, in a room of its own."""

import contextlib
import json
import signal
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import free_port
from midipool_demo.tick_meter import TickMeter
from tests.e2e.waiting import wait_until


class Solo:
    """A server, a client with `words`, and a meter on `ports`; the settings are in `home`."""

    def __init__(self, jack: JackServer, home: Path, words: list[str], ports: list[str]) -> None:
        port = free_port()
        self.url = f"ws://127.0.0.1:{port}/solo"
        self._api = f"http://127.0.0.1:{port}/api/rooms/solo"
        self.jack = jack
        self.env: Mapping[str, str] = {
            **jack.env,
            "XDG_CONFIG_HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
        }
        self._words = words
        self._ports = ports
        self._stack = contextlib.ExitStack()
        self._server = Background.python("midipool_server", "--port", str(port))

    def __enter__(self) -> "Solo":
        self._stack.enter_context(self._server)
        try:
            self._server.wait_for_output("midipool-server: ws://")
            self.meter = self._stack.enter_context(TickMeter(self.jack.env, *self._ports))
            words = ["join", self.url, "--name", "drums", "--no-audio", *self._words]
            self.client = self._stack.enter_context(
                Background.python("midipool_client", *words, env=self.env)
            )
            self.client.wait_for_output("MIDI:")
            self.meter.wait_until(lambda heard: heard.connected)
            # Before its clock is measured a member hears nothing at its ports.
            wait_until(lambda: bool(self.status()["members"][0]["status"]))
        except BaseException:
            self._stack.close()
            raise
        return self

    def command(self, *words: str) -> str:
        """`midipool-client WORDS`; raises RuntimeError with what it printed."""
        with Background.python("midipool_client", *words, env=self.env) as command:
            if command.process.wait(10) != 0:
                raise RuntimeError(command.output())
            return command.output()

    def conduct(self, *words: str) -> str:
        """`midipool-client room URL WORDS`."""
        return self.command("room", self.url, *words)

    def status(self) -> dict[str, Any]:
        """The room as the server describes it."""
        with urllib.request.urlopen(self._api, timeout=2) as answer:
            status: dict[str, Any] = json.load(answer)
            return status

    def __exit__(self, *_: object) -> None:
        self.client.stop(signal.SIGINT)
        self._stack.close()
