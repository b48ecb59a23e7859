"""The programs of a soak, and what is done to them: JACK, networks, a room server, clients."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import free_port
from tests.bench.process_cost import child_running
from tests.netlab import Host, Impairment, Lab
from tests.netlab.namespaces import entered, why_unavailable
from tests.netlab.tun_link import TunLink
from tests.soak.ears import device
from tests.soak.plan import name_of
from tests.soak.ticks import PERIOD

ROOM, PORT = "soak", 8765
AUDIO_ENGINE, MIDI_ENGINE = "midipool_client.audio.engine", "midipool_client.engine"
MARK = "MIDIPOOL_SOAK"
ASK_S = 10.0
LEAVE_S = 20.0
UP_S = 60.0


@dataclass
class Member:
    """A client, whether it runs or not."""

    name: str
    jack: JackServer
    host: Host | None
    far: bool
    audio: bool
    folder: Path
    client: Background | None = None
    said: list[str] = field(default_factory=list)
    """The last words of those that ended."""

    @property
    def here(self) -> bool:
        """Whether its client runs."""
        return self.client is not None and self.client.alive


class Stage:
    """A context manager. `why_no_loss` says why lines lose nothing here, if so."""

    def __init__(self, folder: Path, members: int, lasting: int, jack_servers: int) -> None:
        self.mark = uuid.uuid4().hex
        self.why_no_loss = why_unavailable()
        self._folder = folder
        self._counts = members, lasting, jack_servers
        self._stack = contextlib.ExitStack()
        self.members: dict[str, Member] = {}
        self.jacks: list[JackServer] = []
        self.server: Background | None = None
        self.url = self._http = ""
        self._hosts: dict[str, Host | None] = {"server": None, "near": None, "far": None}
        self._line: TunLink | None = None

    def __enter__(self) -> "Stage":
        try:
            self._set_up()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members.values():
            if member.client is not None:
                member.client.send(signal.SIGINT)
        self._stack.close()

    def _set_up(self) -> None:
        members, lasting, jack_servers = self._counts
        # Their names are claimed where other tests look, so before we are in a network of our own.
        for _ in range(jack_servers):
            jack = self._stack.enter_context(JackServer(period=PERIOD, own_env={MARK: self.mark}))
            self.jacks.append(jack)
        for jack in self.jacks:
            jack.wait_ready()
        address = "127.0.0.1" if self.why_no_loss else self._make_networks()
        port = free_port() if self.why_no_loss else PORT
        self.url = f"ws://{address}:{port}/{ROOM}"
        self._http = f"http://{address}:{port}"
        self.start_server()
        for number in range(members):
            far = number % 4 >= 2
            name = name_of(number)
            self.members[name] = Member(
                name,
                self.jacks[number % jack_servers],
                self._hosts["far" if far else "near"],
                far and not self.why_no_loss,
                number < lasting,
                self._folder / name,
            )

    def _make_networks(self) -> str:
        lab = self._stack.enter_context(Lab())
        server, near, far = (lab.host(label) for label in ("server", "near", "far"))
        self._hosts = {"server": server, "near": near, "far": far}
        lab.join(near, server)
        self._line = lab.tun_link(far, server, Impairment())
        self._stack.enter_context(entered(server.name))
        return server.address

    # ---- the server ----

    def start_server(self) -> None:
        """Start it, on what it kept."""
        where = ["--port", self.url.rpartition(":")[2].partition("/")[0]]
        if not self.why_no_loss:
            where += ["--host", "0.0.0.0", "--plain-text"]
        state = str(self._folder / "state")
        words = [*where, "--state-dir", state, "--log-level", "warning", "--drain-s", "0"]
        self.server = self._run("server", "midipool_server", words, {})
        self.server.wait_for_output("ws://", UP_S)

    def kill_server(self) -> str:
        """SIGKILL; what it had said."""
        assert self.server is not None
        self.server.stop(signal.SIGKILL)
        said = self.server.output()
        self.server.__exit__(None, None, None)
        return said

    def room(self) -> dict[str, Any]:
        """The room as the server describes it; raises OSError while it does not."""
        with urllib.request.urlopen(f"{self._http}/api/rooms/{ROOM}", timeout=ASK_S) as answer:
            described: dict[str, Any] = json.load(answer)
            return described

    # ---- clients ----

    def join(self, name: str) -> None:
        """Start its client."""
        member = self.members[name]
        words = ["join", self.url, "--name", name, "--device-name", device(name), "--follow"]
        words += ["--profile", "safe"] if member.audio else ["--no-audio", "--no-page"]
        kinds = ("CONFIG_HOME", "RUNTIME_DIR", "STATE_HOME", "DATA_HOME")
        own = {f"XDG_{kind}": str(member.folder) for kind in kinds}
        where = "far" if member.host is self._hosts["far"] else "near"
        member.client = self._run(where, "midipool_client", words, {**member.jack.env, **own})

    def end_client(self, name: str, number: signal.Signals) -> list[int]:
        """End it by a signal; the processes that it had, which are to go as well."""
        member = self.members[name]
        assert member.client is not None
        pids = children_of(member.client.process.pid)
        member.client.send(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            member.client.process.wait(LEAVE_S)
        member.client.stop(signal.SIGKILL)
        member.said.append(member.client.output())
        member.client.__exit__(None, None, None)
        member.client = None
        return pids

    def kill_engine(self, name: str, module: str) -> None:
        """SIGKILL to one of its engines; raises RuntimeError where it does not run."""
        member = self.members[name]
        if member.client is not None:
            os.kill(child_running(member.client.process.pid, module), signal.SIGKILL)

    def ask_client(self, name: str) -> dict[str, Any]:
        """What its client says of the room, as `ctl state` does; raises OSError, ValueError."""
        file = hashlib.sha256(device(name).encode()).hexdigest()[:24]
        path = self.members[name].folder / "midipool" / "control" / file
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(ASK_S)
            sock.connect(str(path))
            sock.sendall(b'{"do": "state"}\n')
            with sock.makefile("rb") as stream:
                said = json.loads(stream.readline())
        known: dict[str, Any] = json.loads(said["text"])
        return known

    # ---- the network ----

    def impair(self, loss: float, delay_ms: float, jitter_ms: float) -> None:
        """How the line of those who are far away is from now on."""
        if self._line is not None:
            self._line.impair(Impairment(delay_ms=delay_ms, jitter_ms=jitter_ms, loss=loss))

    def _run(self, where: str, module: str, words: list[str], env: Mapping[str, str]) -> Background:
        host = self._hosts[where]
        inside = [] if host is None else ["ip", "netns", "exec", host.name]
        command = [*inside, sys.executable, "-m", module, *words]
        return self._stack.enter_context(_Ended(command, {**env, MARK: self.mark}))


class _Ended(Background):
    """May be left twice."""

    def output(self) -> str:
        return "" if self._log.closed else super().output()


def children_of(pid: int) -> list[int]:
    """Its child processes now."""
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def left_behind(mark: str) -> list[tuple[int, str]]:
    """(pid, command) of all processes of a soak that run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                if command and int(folder.name) != os.getpid():
                    found.append((int(folder.name), command.decode(errors="replace").strip()))
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_gone(mark: str, within_s: float) -> list[tuple[int, str]]:
    """What of a soak still runs after so long."""
    give_up_s = time.monotonic() + within_s
    while (left := left_behind(mark)) and time.monotonic() < give_up_s:
        time.sleep(0.2)
    return left
