"""Messages by the million, of any type, order and state, right and wrong, at a room host.

Clients come, go, stall and flood. In this process on virtual time, or with `--sockets` at a server
of its own over WebSockets. What must hold says `tests/server/message_fuzz/crowd.py`; whatever does
not ends the run with what was sent last. Memory is looked at after each tenth.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.server.message_fuzz.crowd import Crowd
from tests.server.message_fuzz.over_sockets import over_sockets

CHECK_EVERY = 100
A_CROWD = 20_000
"""So many messages one crowd sends; then all leave, and another one comes."""
SHARES = 10
MOST_GROWN_MB = 60.0
"""What Python keeps of its peaks is no leak."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sockets", action="store_true", help="over real WebSockets")


def run(options: argparse.Namespace) -> dict[str, Any]:
    began_s = time.monotonic()
    if options.sockets:
        found = asyncio.run(over_sockets(options.messages, options.seed))
    else:
        found = _in_process(options)
    seconds = round(time.monotonic() - began_s, 1)
    grown_mb = round(max(found["resident_mb"][-2:]) - min(found["resident_mb"][:2]), 1)
    assert grown_mb < MOST_GROWN_MB, f"it grew by {grown_mb} MB: {found['resident_mb']}"
    return {
        "messages": options.messages,
        "seed": options.seed,
        "sockets": options.sockets,
        "seconds": seconds,
        **found,
    }


def _in_process(options: argparse.Namespace) -> dict[str, Any]:
    sent, answered = Counter[str](), Counter[str]()
    memory: list[float] = []
    seed = options.seed
    while sent.total() < options.messages:
        most = min(A_CROWD, options.messages - sent.total())
        asyncio.run(_one_crowd(seed, most, sent, answered))
        seed += 1
        sys.stderr.write(f"{sent.total()} messages\n")
        if sent.total() >= len(memory) * options.messages / SHARES:
            gc.collect()
            memory.append(resident_mb())
    return {
        "crowds": seed - options.seed,
        "resident_mb": memory,
        "sent": dict(sent.most_common()),
        "errors_answered": dict(answered.most_common()),
    }


async def _one_crowd(seed: int, most: int, sent: Counter[str], answered: Counter[str]) -> None:
    async with Crowd(seed) as crowd:
        try:
            checked = 0
            while crowd.sent.total() < most:
                await crowd.step()
                if crowd.sent.total() >= checked + CHECK_EVERY:
                    checked = crowd.sent.total()
                    await crowd.check()
            await crowd.end()
        except AssertionError as error:
            raise AssertionError(f"crowd {seed}, message {crowd.sent.total()}: {error}") from error
        sent.update(crowd.sent)
        answered.update(crowd.said)


def resident_mb(pid: int | str = "self") -> float:
    """What a process has in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if "VmRSS" in line) / 1024, 1)


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    plots.bars({"errors": result["errors_answered"]}, path)
