"""A room across network namespaces: a server host, and players on hosts and JACK servers apart."""

import contextlib
import itertools
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from midipool.timeline import Timeline
from midipool_demo.background import child_environment
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import CLOCK_PORT
from midipool_demo.tick_meter import TickMeter
from tests.netlab import Access, Home, Host, Impairment, Lab, Nat, Router, make_home
from tests.netlab.lab import Link
from tests.netlab.namespaces import entered

PORT = 8765


@dataclass
class NetPlayer:
    """A player on a host of its own."""

    name: str
    host: Host
    link: Link
    jack: JackServer
    meter: TickMeter
    client: "subprocess.Popen[str]"


class NetStage:
    """Server and players on hosts of their own. Room time is CLOCK_MONOTONIC of all of them."""

    def __init__(
        self,
        lab: Lab,
        stack: contextlib.ExitStack,
        impairment: Impairment | None,
        period: int = 128,
    ) -> None:
        self._period = period
        self._stack = stack
        self._impairment = impairment
        self._lab = lab
        self._hub = self.server_host = lab.host("server")
        self.homes: dict[str, Home] = {}
        self._moves = itertools.count(2)
        self.players: list[NetPlayer] = []
        self.url = ""

    def lengthen(self, line: Impairment) -> None:
        """Put a line between the server and all players; what they send each other does not take
        it. Call it first."""
        self._hub = self._lab.host("hub")
        self._lab.tun_link(self.server_host, self._hub, line)

    def start_server(self) -> "subprocess.Popen[str]":
        """Start the room server on its host."""
        any_address = "::" if self.server_host.is_ipv6 else "0.0.0.0"
        server = self._popen(
            *(self.server_host, "midipool_server", "--plain-text"),
            *("--host", any_address, "--port", str(PORT)),
        )
        assert server.stdout is not None
        while "ws://" not in (line := server.stdout.readline()):
            if not line:
                raise RuntimeError("the server ended")
        return server

    def prepare(
        self, name: str, access: Access = "none", plain: bool = False
    ) -> tuple[Host, Link, JackServer]:
        """A host, behind a router or not, its link to the internet, and a JACK server.

        Nothing impairs the link if it is `plain`.
        """
        impairment = None if plain else self._impairment
        home = make_home(self._lab, name, access, self._hub, impairment)
        self.homes[name] = home
        jack = self._stack.enter_context(JackServer(period=self._period))
        jack.wait_ready()
        address = self.server_host.address
        self.url = f"ws://{f'[{address}]' if self.server_host.is_ipv6 else address}:{PORT}/bench"
        return home.host, home.link, jack

    def move(self, name: str, access: Nat) -> Router:
        """Take a player's host into another home, behind another router, which is returned."""
        router = self._lab.router(f"{name}-router-{next(self._moves)}", access)
        self._lab.join(router, self._hub, self._impairment)
        home = self.homes[name]
        self._lab.move(home.host, router)
        self.homes[name] = Home(home.host, home.link, router)
        return router

    def join(
        self,
        name: str,
        host: Host,
        link: Link,
        jack: JackServer,
        skew_ppm: float = 0.0,
        audio: tuple[str, ...] = ("--no-audio",),
    ) -> NetPlayer:
        """Start a client with the options `audio`; its host clock may be off."""
        env = {**jack.env, "XDG_CONFIG_HOME": self._stack.enter_context(TemporaryDirectory())}
        if skew_ppm:
            env["MIDIPOOL_TEST_CLOCK"] = f"12345,{skew_ppm}"
        words = ("join", self.url, "--name", name, *audio)
        client = self._popen(host, "midipool_client", *words, env=env)
        meter = self._stack.enter_context(TickMeter(jack.env, CLOCK_PORT))
        player = NetPlayer(name, host, link, jack, meter, client)
        self.players.append(player)
        return player

    def conduct(self, *words: str) -> None:
        """`midipool-client room URL WORDS`, from the server's host."""
        command = [sys.executable, "-m", "midipool_client", "room", self.url, *words]
        self.server_host.run(command)

    def status(self) -> dict[str, Any]:
        """The room as the server describes it, on its host; raises OSError while there is none."""
        api = self.url.replace("ws://", "http://").replace("/bench", "/api/rooms/bench")
        with entered(self.server_host.name), urllib.request.urlopen(api, timeout=2) as answer:
            status: dict[str, Any] = json.load(answer)
            return status

    def try_status(self) -> dict[str, Any]:
        """The room, or nothing while there is none."""
        try:
            return self.status()
        except OSError:
            return {}

    def timeline(self) -> Timeline:
        """The newest timeline of the room."""
        return msgspec.convert(self.status()["timelines"][-1], Timeline)

    def _popen(
        self, host: Host, module: str, *words: str, env: dict[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        process = host.popen(
            [sys.executable, "-m", module, *words],
            env=child_environment(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._stack.callback(_end, process)
        return process


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextlib.contextmanager
def net_stage(
    impairment: Impairment | None = None, period: int = 128, *, ipv6: bool = False
) -> Iterator[NetStage]:
    """A stage in a lab of its own; `period` is JACK's, in frames."""
    with Lab(ipv6=ipv6) as lab, contextlib.ExitStack() as stack:
        yield NetStage(lab, stack, impairment, period)
