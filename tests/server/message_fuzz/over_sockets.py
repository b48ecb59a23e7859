"""The same over real WebSockets, at a server of its own process; too long messages among them."""

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from midipool.messages import CAPABILITIES, MAX_MESSAGE_BYTES, ClockReply, Hello, decode_server
from midipool_demo.background import Background
from midipool_demo.stage import free_port
from tests.bench.fuzz import mutate
from tests.server.message_fuzz.making import Maker
from tests.server.message_fuzz.mirror import Mirror

CLIENTS, ROOMS = 12, ("jam", "jam2")
ROUND = 50
"""Messages of each, behind which all look whether they know the same."""
ANSWER_S = 30.0
TOO_BIG = 1009
NO_LIMIT = "1000000"


class SocketClient:
    """One that comes again when its connection ends."""

    def __init__(self, http: aiohttp.ClientSession, url: str, name: str, seed: int) -> None:
        self.name, self._http, self._url = name, http, url
        self._chance = random.Random(seed)
        self._maker = Maker(self._chance)
        self._probes = itertools.count(1)
        self.sent: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.ends: Counter[int] = Counter()
        self.mirror = Mirror()
        self.room = ""
        self._web: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None
        self._let_in = asyncio.Event()
        self._replies: dict[int, asyncio.Event] = {}

    @property
    def lives(self) -> bool:
        return self._web is not None and not self._web.closed and self.mirror.welcome is not None

    async def be_there(self) -> None:
        """Join, if it is not there; it may not be let in."""
        if self.lives:
            return
        await self.end()
        self.room = self._chance.choice(ROOMS)
        self.mirror, self._let_in = Mirror(), asyncio.Event()
        self._web = await self._http.ws_connect(f"{self._url}/{self.room}", max_msg_size=1 << 21)
        self._reading = asyncio.create_task(self._read(self._web, self.mirror))
        hello = {"type": "hello", "version": 1, "name": self.name}
        await self._say({**hello, "capabilities": list(CAPABILITIES)})
        with contextlib.suppress(TimeoutError):  # it may have to wait for a host
            await asyncio.wait_for(self._let_in.wait(), 2)

    async def send_some(self) -> None:
        """A round of anything."""
        for _ in range(ROUND):
            if not self.lives:
                return
            await self._say(self._something())
            if self._chance.random() < 0.001:
                await self.end()

    async def see_all(self) -> None:
        """Until all that was said to it before now has come."""
        number = next(self._probes)
        self._replies[number] = asyncio.Event()
        await self._say({"type": "clock_probe", "t1_ns": number})
        waiting = asyncio.create_task(self._replies[number].wait())
        parts = [waiting, *([self._reading] if self._reading is not None else [])]
        done, _ = await asyncio.wait(parts, timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert done, f"{self.name} is not answered within {ANSWER_S:g} s"

    async def end(self) -> None:
        """Close in order."""
        if self._web is not None:
            await self._web.close()
        if self._reading is not None:
            await self._reading

    def _something(self) -> Any:
        chance = self._chance.random()
        if chance < 0.001:
            return "x" * (MAX_MESSAGE_BYTES + 1)
        if chance < 0.7:
            return self._maker.any()
        if chance < 0.85:
            return self._maker.mutated(self._maker.any())
        if chance < 0.86:
            return self._maker.of(Hello)
        return mutate(msgspec.json.encode(self._maker.any()), self._chance)

    async def _say(self, message: Any) -> None:
        assert self._web is not None
        kind = message.get("type") if isinstance(message, dict) else "bytes"
        self.sent[kind if isinstance(kind, str) else "no type"] += 1
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            if isinstance(message, dict):
                await self._web.send_str(msgspec.json.encode(message).decode())
            elif isinstance(message, str):
                await self._web.send_str(message)
            else:
                await self._web.send_bytes(message)

    async def _read(self, web: aiohttp.ClientWebSocketResponse, mirror: Mirror) -> None:
        async for frame in web:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            data = frame.data.encode()
            mirror.hear(data)
            if mirror.welcome is not None:
                self._let_in.set()
            if data.startswith(b'{"type":"clock_reply"'):
                reply = decode_server(data)
                assert isinstance(reply, ClockReply)
                if (event := self._replies.pop(reply.t1_ns, None)) is not None:
                    event.set()
        self._let_in.set()
        self.errors.update(mirror.errors)
        self.ends[web.close_code or 0] += 1


async def over_sockets(messages: int, seed: int) -> dict[str, Any]:
    """Send so many; what was answered. Raises AssertionError."""
    port = free_port()
    words = ["--port", str(port), "--no-media", "--log-level", "warning", "--drain-s", "0"]
    words += ["--max-messages", NO_LIMIT, "--max-midi-messages", NO_LIMIT]
    with Background.python("midipool_server", *words) as server:
        server.wait_for_output("ws://")
        url = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession() as http:
            clients = [SocketClient(http, url, f"c{n}", seed + n) for n in range(CLIENTS)]
            memory = await _play(clients, messages, server.process.pid)
            for client in clients:
                await client.end()
            await _wait_empty(http, url)
        said = server.output()
        assert server.alive
        assert "Traceback" not in said, said[-3000:]
        assert " ERROR " not in said, said[-3000:]
    sent: Counter[str] = sum((c.sent for c in clients), Counter())
    errors: Counter[str] = sum((c.errors for c in clients), Counter())
    ends: Counter[int] = sum((c.ends for c in clients), Counter())
    return {
        "clients": CLIENTS,
        "resident_mb": memory,
        "connections_ended": {str(code): count for code, count in ends.most_common()},
        "sent": dict(sent.most_common()),
        "errors_answered": dict(errors.most_common()),
    }


async def _play(clients: list[SocketClient], messages: int, pid: int) -> list[float]:
    memory: list[float] = []
    while (sent := sum(c.sent.total() for c in clients)) < messages:
        for client in clients:
            await client.be_there()
        await asyncio.gather(*(client.send_some() for client in clients))
        # Of what the others said last, all hear before the second answer.
        for _ in range(2):
            await asyncio.gather(*(client.see_all() for client in clients if client.lives))
        _compare(clients)
        if sent >= len(memory) * messages / 10:
            memory.append(_resident_mb(pid))
    return memory


def _compare(clients: list[SocketClient]) -> None:
    now_us = time.monotonic_ns() // 1000
    for room in ROOMS:
        known = [c.mirror.known(now_us) for c in clients if c.lives and c.room == room]
        for other in known[1:]:
            differs = {k: (other[k], known[0][k]) for k in other if other[k] != known[0][k]}
            differs.pop("timeline", None)  # is replaced at a time that is not the same for two
            assert not differs, differs


async def _wait_empty(http: aiohttp.ClientSession, url: str) -> None:
    """Kept places end after a while only: nobody must be connected."""
    give_up_s = time.monotonic() + ANSWER_S
    while time.monotonic() < give_up_s:
        async with http.get(f"{url}/healthz") as answer:
            health = await answer.json()
        if health["members"] == 0:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"somebody is left: {health}")


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if "VmRSS" in line) / 1024, 1)
