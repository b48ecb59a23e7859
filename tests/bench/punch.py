"""Which path two players find through routers of every kind, how soon they hear each other, and
what they miss when it changes.

Two clients in network namespaces, each behind a real NAT of the kernel's or none. The first is in
the room and plays noise; then the second one comes, plays too, and both listen at their JACK ports.
"""

import argparse
import contextlib
import itertools
import re
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from midipool_demo.background import child_environment
from tests.bench import path_moves
from tests.bench.first_sound import FirstSound
from tests.bench.netstage import NetStage, net_stage
from tests.e2e.waiting import wait_until
from tests.netlab import Access, Nat, why_no_routers

PERIOD = 128
ACCESSES: tuple[Access, ...] = ("none", *get_args(Nat))
# By RFC 5780's types: a mapping that differs by destination is met only where filtering does not
# ask for the port.
IMPOSSIBLE = (
    {"symmetric"},
    {"symmetric", "port-restricted"},
)
WITHIN_S = 2.0
CASES = path_moves.CASES
SETTLE_S, KEPT_S, RELAY_S = 25.0, 1.0, 6.0
PATH = re.compile(r"audio: [ab]: (direct|relay)(.*)")


def can_be_direct(first: Access, second: Access) -> bool:
    """Whether hole punching can work between them."""
    return {first, second} not in IMPOSSIBLE


@dataclass
class Client:
    """A client, and when it said what."""

    process: "subprocess.Popen[str]"
    begun_s: float
    lines: list[tuple[float, str]] = field(default_factory=list)

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line.strip()))

    def said_s(self, text: str) -> float | None:
        """When it said something first."""
        return next((at for at, line in self.lines if text in line), None)

    def paths(self) -> list[tuple[float, str, str]]:
        """When, which path it took, and all that it said of it."""
        found = [(at, PATH.search(line)) for at, line in self.lines]
        return [(at, match[1], match[1] + match[2]) for at, match in found if match]

    def settled_s(self) -> float | None:
        """Since when it has the path that it has."""
        since, path = None, None
        for at, now, _ in self.paths():
            if now != path:
                since, path = at, now
        return since


def start_client(stage: NetStage, stack: contextlib.ExitStack, name: str, end: Any) -> Client:
    """Join the room, with audio."""
    host, _, jack = end
    words = ["join", stage.url, "--name", name]
    process = host.popen(
        [sys.executable, "-m", "midipool_client", *words],
        env=child_environment(jack.env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    client = Client(process, time.monotonic())
    reader = threading.Thread(target=client.read)
    reader.start()

    def end_it() -> None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()
        process.stdout.close()

    stack.callback(end_it)
    return client


def measure(first: Access, second: Access) -> dict[str, Any]:
    """One pair of routers."""
    with net_stage(None, PERIOD) as stage, contextlib.ExitStack() as stack:
        stage.start_server()
        ends = [stage.prepare(name, kind) for name, kind in zip("ab", (first, second), strict=True)]
        ears = [
            stack.enter_context(FirstSound(jack.env, seed))
            for seed, (_, _, jack) in enumerate(ends)
        ]
        a = start_client(stage, stack, "a", ends[0])
        wait_until(lambda: a.said_s("the relay answers") is not None, 20)
        b = start_client(stage, stack, "b", ends[1])
        wait_until(lambda: b.said_s("joined ") is not None, 20)
        with contextlib.suppress(AssertionError, TimeoutError):
            wait_until(lambda: all(ear.heard_s is not None for ear in ears), 20)
        wanted = "direct" if can_be_direct(first, second) else "relay"
        _wait_settled([a, b], wanted)
        return _figures((first, second), wanted, [a, b], ears)


def _wait_settled(clients: list[Client], wanted: str) -> None:
    def is_settled() -> bool:
        now = time.monotonic()
        since = [client.settled_s() for client in clients]
        paths = [client.paths()[-1][1] if client.paths() else "" for client in clients]
        kept = RELAY_S if wanted == "relay" else KEPT_S
        return all(
            at is not None and path == wanted and now - at > kept
            for at, path in zip(since, paths, strict=True)
        )

    with contextlib.suppress(AssertionError, TimeoutError):
        wait_until(is_settled, SETTLE_S)


def _figures(
    pair: tuple[Access, Access], wanted: str, clients: list[Client], ears: list[FirstSound]
) -> dict[str, Any]:
    joined_s = clients[1].said_s("joined ")
    assert joined_s is not None
    paths = [client.paths() for client in clients]
    settled = [client.settled_s() for client in clients]
    return {
        "routers": list(pair),
        "path": sorted({of[-1][1] if of else "none" for of in paths}),
        "expected": wanted,
        "reasons": [of[-1][2] if of else "" for of in paths],
        "heard_s": [
            None if ear.heard_s is None else round(ear.heard_s - joined_s, 3) for ear in ears
        ],
        "settled_s": [None if at is None else round(at - joined_s, 3) for at in settled],
        "start_to_joined_s": round(joined_s - clients[1].begun_s, 3),
    }


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pair", nargs=2, metavar="ROUTER", help="only this one")
    parser.add_argument("--times", type=int, default=1, help="each pair so often")
    parser.add_argument("--moves", type=int, default=3, help="change paths so often")


def run(options: argparse.Namespace) -> dict[str, Any]:
    if reason := why_no_routers():
        raise SystemExit(f"bench punch: {reason}")
    chosen = [tuple(options.pair)] if options.pair else itertools.product(ACCESSES, ACCESSES)
    pairs = []
    for first, second in chosen:
        for _ in range(options.times):
            pairs.append(measure(first, second))
            sys.stderr.write(f"{first} x {second}: {_in_words(pairs[-1])}\n")
    heard = [s for pair in pairs for s in pair["heard_s"]]
    return {
        "period_frames": PERIOD,
        "pairs": pairs,
        "as_expected": sum(pair["path"] == [pair["expected"]] for pair in pairs),
        "heard_within_2_s": sum(
            all(s is not None and s <= WITHIN_S for s in pair["heard_s"]) for pair in pairs
        ),
        "heard_median_s": statistics.median([s for s in heard if s is not None] or [-1]),
        "heard_most_s": max([s for s in heard if s is not None] or [-1]),
        "gaps_ms": {case.name: _move(case, options.moves) for case in CASES if options.moves},
    }


def _move(case: path_moves.Case, times: int) -> dict[str, Any]:
    missed = path_moves.measure(case, times)
    sys.stderr.write(f"{case.name}: {missed}\n")
    return missed


def _in_words(pair: dict[str, Any]) -> str:
    path = " and ".join(pair["path"])
    return f"{path}, heard after {pair['heard_s']} s, path after {pair['settled_s']} s"


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    values = {
        f"{' x '.join(pair['routers'])} ({'/'.join(pair['path'])})": {
            "first sound": max((s for s in pair["heard_s"] if s is not None), default=0.0),
            "path found": max((s for s in pair["settled_s"] if s is not None), default=0.0),
        }
        for pair in result["pairs"]
    }
    plots.groups(values, "seconds since the second player joined", path)
