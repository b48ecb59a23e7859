"""Datagrams a second that the relay passes on with one core, beside a bare loop and coturn."""

import argparse
import contextlib
import itertools
import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from midipool.media_datagram import MediaHeader, MediaKind
from midipool_native import media
from tests.bench import turn
from tests.bench.relay_process import KEY_ID

HERE = Path(__file__).resolve().parent
KEY = bytes(range(32))
PAYLOAD = bytes(562)  # 600 bytes in all: 128 frames of stereo in 16 bits, and a little
ROOMS = {"room of 2": 1, "room of 8": 7}
SERVED_CORE, LOADING_CORE = 0, 1
SETTLE_S = 0.5
HELLO_EVERY_S = 0.01
PROVE_S = 5.0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)


def run(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        loop = Path(folder, "udp_loop")
        subprocess.run(["gcc", "-O2", "-o", loop, HERE / "udp_loop.c"], check=True)
        result: dict[str, Any] = {"seconds": options.seconds, "rounds": options.rounds}
        for name, listeners in ROOMS.items():
            contenders: dict[str, Callable[[Bench], dict[str, float]]] = {
                "bare loop": Bench.bare_loop,
                "relay": Bench.relay,
            }
            if listeners == 1 and turn.found():
                contenders["coturn"] = Bench.coturn
            rounds: dict[str, list[dict[str, float]]] = {what: [] for what in contenders}
            for _ in range(options.rounds):
                for what, measure in contenders.items():
                    with Bench(loop, listeners, options.seconds) as bench:
                        rounds[what].append(measure(bench))
            result[name] = {what: _summary(runs) for what, runs in rounds.items()}
            bare = result[name]["bare loop"]["a_second_of_cpu"]
            for figures in result[name].values():
                figures["share_of_bare_loop"] = round(figures["a_second_of_cpu"] / bare, 3)
    return result


def _summary(runs: list[dict[str, float]]) -> dict[str, Any]:
    out: dict[str, Any] = {
        key: round(statistics.median(run[key] for run in runs)) for key in runs[0]
    }
    out["a_second_of_cpu_of_each_round"] = [round(run["a_second_of_cpu"]) for run in runs]
    return out


class Bench:
    """One measurement: a flooding member, listeners that never read, and what is between them.

    What a listener's full socket drops is counted by the kernel, so that no reader takes time.
    """

    def __init__(self, loop: Path, listeners: int, seconds: float) -> None:
        self._loop, self._seconds = loop, seconds
        self._stack = contextlib.ExitStack()
        self._served = self._socket()
        self._port: int = self._served.getsockname()[1]
        self._flooder = self._socket()
        self._listeners = [self._socket() for _ in range(listeners)]
        self._counter = itertools.count(1)
        for sock in self._listeners:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _socket(self) -> socket.socket:
        sock = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.bind(("127.0.0.1", 0))
        return sock

    # ---- who passes on ----

    def bare_loop(self) -> dict[str, float]:
        """A recvmmsg/sendmmsg loop."""
        ports = [str(sock.getsockname()[1]) for sock in self._listeners]
        fd = self._served.fileno()
        self._served.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._served.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        words = [str(self._loop), "bare", str(fd), "60", *ports]
        process = self._start(words, SERVED_CORE, fd)
        return self._measure(process, self._sealed(1, MediaKind.SOURCE, PAYLOAD))

    def relay(self) -> dict[str, float]:
        """Ours."""
        fd = self._served.fileno()
        words = [sys.executable, "-m", "tests.bench.relay_process", str(fd)]
        process = self._start(
            [*words, str(1 + len(self._listeners)), KEY.hex()], SERVED_CORE, fd, piped=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        self._prove_addresses()
        return self._measure(process, self._sealed(1, MediaKind.SOURCE, PAYLOAD), self._say_hello)

    def coturn(self) -> dict[str, float]:
        """coturn, with a channel to the listener."""
        self._served.close()
        process = self._stack.enter_context(turn.coturn(self._port))
        os.sched_setaffinity(process.pid, {SERVED_CORE})
        self._flooder.connect(("127.0.0.1", self._port))
        turn.open_channel(self._flooder, self._listeners[0].getsockname()[1])
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {SERVED_CORE})
        data = self._sealed(1, MediaKind.SOURCE, PAYLOAD)
        return self._measure(process, turn.channel_data(data))

    # ---- measuring ----

    def _measure(
        self,
        process: "subprocess.Popen[bytes]",
        datagram: bytes,
        keep_alive: Callable[[], None] = lambda: None,
    ) -> dict[str, float]:
        self._flooder.connect(("127.0.0.1", self._port))
        keep_alive()
        fd = self._flooder.fileno()
        self._flooder.setblocking(True)
        seconds = str(self._seconds + 2 * SETTLE_S)
        flood = [str(self._loop), "flood", str(fd), seconds, datagram.hex()]
        flooding = self._start(flood, LOADING_CORE, fd)
        self._wait(SETTLE_S, keep_alive)
        before = time.monotonic(), _cpu_s(process.pid), self._delivered()
        self._wait(self._seconds, keep_alive)
        after = time.monotonic(), _cpu_s(process.pid), self._delivered()
        flooding.wait()
        wall_s, cpu_s, delivered = (b - a for a, b in zip(before, after, strict=True))
        return {
            "a_second_of_cpu": delivered / cpu_s,
            "a_second": delivered / wall_s,
            "cpu_percent": 100 * cpu_s / wall_s,
        }

    def _wait(self, seconds: float, meanwhile: Callable[[], None]) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            meanwhile()
            time.sleep(HELLO_EVERY_S)

    def _delivered(self) -> int:
        """Datagrams that reached the listeners' full sockets so far."""
        inodes = {str(os.fstat(sock.fileno()).st_ino) for sock in self._listeners}
        rows = (line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:])
        return sum(int(row[12]) for row in rows if row[9] in inodes)

    def _say_hello(self) -> None:
        """Often: most of what comes while the relay is flooded is lost."""
        for sender, sock in enumerate([self._flooder, *self._listeners], start=1):
            hello = self._sealed(sender, MediaKind.HELLO)
            if sock is self._flooder:
                sock.send(hello)
            else:
                sock.sendto(hello, ("127.0.0.1", self._port))

    def _prove_addresses(self) -> None:
        """Say each listener's token again: then it gets all."""
        for sender, sock in enumerate(self._listeners, start=2):
            address = ("127.0.0.1", self._port)
            sock.sendto(self._sealed(sender, MediaKind.HELLO), address)
            if not select.select([sock], [], [], PROVE_S)[0]:
                raise RuntimeError("the relay does not answer")
            _, text = media.open_sealed(KEY, sock.recv(2000))
            sock.sendto(self._sealed(sender, MediaKind.HELLO, text[8:16]), address)
            if select.select([sock], [], [], PROVE_S)[0]:
                sock.recv(2000)

    def _sealed(self, sender: int, kind: MediaKind, payload: bytes = b"") -> bytes:
        return media.seal(KEY, MediaHeader(kind, KEY_ID, sender, next(self._counter)), payload)

    def _start(
        self, words: list[str], core: int, fd: int, piped: bool = False
    ) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE if piped else None
        process = subprocess.Popen(words, pass_fds=[fd], stdin=pipe, stdout=pipe)
        self._stack.callback(_end, process)
        os.sched_setaffinity(process.pid, {core})
        return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate()


def _cpu_s(pid: int) -> float:
    """What all threads of a process have had of a core so far."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int(Path(task, "schedstat").read_text().split()[0]) for task in tasks) * 1e-9


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    rooms = {name: result[name] for name in ROOMS}
    plots.groups(
        {
            room: {what: figures["a_second_of_cpu"] for what, figures in of.items()}
            for room, of in rooms.items()
        },
        "datagrams passed on in a second of one core",
        path,
    )
