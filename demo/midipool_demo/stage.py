"""Sets a room up on this machine: server, JACK servers, clients, meters; and takes it down."""

import contextlib
import json
import random
import re
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from midipool_demo.tick_meter import TickMeter

CLOCK_PORT = "midiPool:midi_receive"
PAGE = re.compile(r"^page.*: (http\S+)$", re.MULTILINE)
# About half a minute of cycles: what is shown live needs no more.
LIVE_CYCLES = 12_000


@dataclass
class Player:
    """A client with its JACK server and a meter on its output."""

    name: str
    jack: JackServer
    client: Background
    meter: TickMeter
    env: Mapping[str, str]
    """Of a shell of this player's."""


class Stage:
    """A server and players, as separate processes; a context manager.

    The meters also listen to the ports `peers`, which the caller brings. With `home` each player
    has settings and tokens of its own there, as if on a machine of its own.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        live: bool = False,
        peers: tuple[str, ...] = (),
        server_options: tuple[str, ...] = (),
        home: Path | None = None,
        period: int = 128,
        audio: tuple[str, ...] | None = None,
        card: Callable[[str], JackServer] | None = None,
        own_audio: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}/demo"
        self._api = f"http://127.0.0.1:{self.port}/api/rooms/demo"
        self._names = names
        self._live = live
        self._peers = peers
        self._server_options = server_options
        self._home = home
        self._card = card or (lambda name: JackServer(period=period))
        self._own_audio = own_audio or {}
        self._client_options = ("--no-audio",) if audio is None else audio
        self._stack = contextlib.ExitStack()
        self._jacks: list[JackServer] = []
        self.players: list[Player] = []
        self.server: Background | None = None

    def __enter__(self) -> "Stage":
        try:
            self._set_up()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _set_up(self) -> None:
        self._jacks = [self._stack.enter_context(self._card(name)) for name in self._names]
        self.start_server()
        for jack in self._jacks:
            jack.wait_ready()
        for name, jack in zip(self._names, self._jacks, strict=True):
            env = {**jack.env, **self._own_folders(name)}
            words = ("join", self.url, "--name", name, *self._client_options)
            words += self._own_audio.get(name, ())
            client = Background.python("midipool_client", *words, env=env)
            self._stack.enter_context(client)
            meter = TickMeter(
                jack.env, CLOCK_PORT, *self._peers, keep_cycles=LIVE_CYCLES if self._live else None
            )
            self._stack.enter_context(meter)
            self.players.append(Player(name, jack, client, meter, env))
        for player in self.players:
            player.client.wait_for_output("MIDI:")
            if not self._peers:
                player.meter.wait_until(lambda heard: heard.connected)
        self._wait_measured()

    def _own_folders(self, name: str) -> dict[str, str]:
        if self._home is None:
            return {}
        folder = str(self._home / name)
        kinds = ("CONFIG_HOME", "RUNTIME_DIR", "STATE_HOME", "DATA_HOME")
        return {f"XDG_{kind}": folder for kind in kinds}

    def start_server(self) -> None:
        """Start the server (again) on the same port."""
        self.server = Background.python(
            "midipool_server", "--port", str(self.port), *self._server_options
        )
        self._stack.enter_context(self.server)
        self.server.wait_for_output("midipool-server: ws://")

    def _wait_measured(self, timeout_s: float = 10.0) -> None:
        give_up = time.monotonic() + timeout_s
        while time.monotonic() < give_up:
            with contextlib.suppress(OSError):
                members = self.status()["members"]
                if len(members) == len(self._names) and all(m["status"] for m in members):
                    return
            time.sleep(0.05)
        raise TimeoutError("the players do not report their clocks")

    def status(self) -> dict[str, Any]:
        """The room as the server describes it; raises OSError while there is none."""
        with urllib.request.urlopen(self._api, timeout=2) as answer:
            status: dict[str, Any] = json.load(answer)
            return status

    def pages(self) -> dict[str, str]:
        """Where each client's page opens next, as far as it has said so."""
        said = {p.name: PAGE.findall(p.client.output()) for p in self.players}
        return {name: found[-1] for name, found in said.items() if found}

    def conduct(self, *words: str, by: Player | None = None) -> None:
        """`midipool-client room URL WORDS`, from a player's shell or from one of nobody's.

        Raises RuntimeError with what it printed.
        """
        env = self._own_folders("nobody") if by is None else by.env
        with Background.python("midipool_client", "room", self.url, *words, env=env) as command:
            if command.process.wait(10) != 0:
                raise RuntimeError(command.output())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for player in self.players:
            player.client.send(signal.SIGINT)
        for player in self.players:
            player.client.stop(signal.SIGINT)
            player.meter.close()
        # All at once: each takes a while to go.
        for program in (self.server, *self._jacks):
            if program is not None:
                program.send(signal.SIGTERM)
        self._stack.close()


def free_port() -> int:
    """A port that is free for TCP and UDP now, and the next one for UDP (the relay's).

    It is none of those that the system hands out by itself, to other programs at any moment.
    """
    while True:
        port = random.randrange(20_000, 32_000, 2)
        tcp = socket.socket()
        udp, relay = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        with tcp, udp, relay, contextlib.suppress(OSError):
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            relay.bind(("127.0.0.1", port + 1))
            return port
