"""Very many who want something of a server at once: most want in, some never say a whole request.

`python -m tests.bench.many_connections PORT CONNECTIONS SLOW IN_ROOM`, driven by a line on its
input: `come` opens all, and is answered by a line of JSON when all who join are in or refused, and
by one when the others are let go. SLOW of them send a request byte by byte (slow-loris); the others
join, IN_ROOM in each room.
"""

import asyncio
import itertools
import json
import sys
import time
from typing import Any

from midipool_server.operations import open_files
from tests.bench.many_members import ENDING, Heard, Member

BYTE_EVERY_S = 0.5
PATIENCE_S = 120.0


class Newcomer(Member):
    """One who joins. What it hears later is read and not looked at."""

    def __init__(self, room: str, name: str) -> None:
        super().__init__(room, name, [], Heard())

    def _take(self, at: int, end: int, now_us: int) -> None:
        if not self.welcomed.done() and ENDING in self._data[at:end]:
            self.welcomed.set_result(False)
            assert self.transport is not None
            self.transport.close()
        super()._take(at, end, now_us)


class SlowLoris(asyncio.Protocol):
    """One whose request never ends."""

    def __init__(self) -> None:
        self._begun_s = time.monotonic()
        self.let_go = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"GET /jam HTTP/1.1\r\nX: ")
        self._go_on()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.let_go.set_result(time.monotonic() - self._begun_s)

    def _go_on(self) -> None:
        if self._transport is not None:
            self._transport.write(b"a")
            asyncio.get_running_loop().call_later(BYTE_EVERY_S, self._go_on)


async def _answered(member: Newcomer, begun_s: float) -> tuple[bool, float]:
    """Whether it is in, and when that was known."""
    is_in = bool(await member.welcomed)
    return is_in, time.monotonic() - begun_s


async def come(port: int, connections: int, slow: int, in_room: int) -> list[asyncio.Future[float]]:
    """Say when the newcomers knew; returns when each slow one is let go."""
    loop, begun_s = asyncio.get_running_loop(), time.monotonic()
    newcomers: list[Newcomer] = []
    let_go: list[asyncio.Future[float]] = []
    for is_slow in _shuffled(connections, slow):
        if is_slow:
            _, loris = await loop.create_connection(SlowLoris, "127.0.0.1", port)
            let_go.append(loris.let_go)
        else:
            n = len(newcomers)
            newcomers.append(Newcomer(f"crowd{n // in_room}", f"player{n % in_room}"))
            await loop.create_connection(lambda: newcomers[-1], "127.0.0.1", port)
    open_s = time.monotonic() - begun_s
    answers = await asyncio.gather(*(_answered(made, begun_s) for made in newcomers))
    _say(
        open_s=round(open_s, 2),
        in_s=sorted(s for is_in, s in answers if is_in),
        refused_s=sorted(s for is_in, s in answers if not is_in),
        slow_left=sum(not future.done() for future in let_go),
    )
    return let_go


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201


def _shuffled(connections: int, slow: int) -> list[bool]:
    """Which are slow: spread evenly over all."""
    edges = [n * slow // connections for n in range(connections + 1)]
    return [a != b for a, b in itertools.pairwise(edges)]


async def main(port: int, connections: int, slow: int, in_room: int) -> None:
    open_files.allow_many()
    while line := await asyncio.to_thread(sys.stdin.readline):
        assert line.strip() == "come"
        async with asyncio.timeout(PATIENCE_S):
            let_go = await come(port, connections, slow, in_room)
            _say(let_go_s=sorted(await asyncio.gather(*let_go)))


if __name__ == "__main__":
    asyncio.run(main(*(int(word) for word in sys.argv[1:5])))
