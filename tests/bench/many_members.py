"""Very many members in one program: they join, say how they do, and note when each bar_sync comes.

`python -m tests.bench.many_members PORT FIRST_ROOM ROOMS MEMBERS AUDIO`, driven by lines on its
input: `join RATE`, `start`, `reset`, `change ROOM BPM`, `guest ROOM`, `report`; each is answered
by a line of JSON. On the wire they are what a midipool-client is: a status each second, a report of
how the others are heard each second (AUDIO 1), ten clock probes a second. What they do not do is
play. One socket sends the probes of all.
"""

import asyncio
import itertools
import json
import re
import socket
import struct
import sys
import time
from typing import Any

from midipool.datagram import encode_clock_probe

HANDSHAKE = (
    "GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
BAR_SYNC, WELCOME, ENDING = b'{"type":"bar_sync"', b'{"type":"welcome"', b'{"type":"closing"'
TARGET = re.compile(rb'"target_send_timestamp":(-?\d+)')
REVISION = re.compile(rb'"revision":(\d+)')
STATUS_S = 1.0
PROBES_A_SECOND = 10
PROBE_EVERY_S = 0.02


def frame(message: dict[str, Any]) -> bytes:
    """A text frame of a client's, masked with zeros."""
    data = json.dumps(message, separators=(",", ":")).encode()
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
    return b"\x81" + size + bytes(4) + data


class Heard:
    """What all members of this program noted."""

    def __init__(self) -> None:
        self.bars_us: list[int] = []
        """How long before its instant each bar_sync of a bar line came."""
        self.changes_us: list[int] = []
        """The same of those that say something new."""
        self.messages = 0
        self.bytes = 0
        self.lost = 0


class Member(asyncio.Protocol):
    """One of them."""

    def __init__(self, room: str, name: str, others: list[str], heard: Heard) -> None:
        self._room, self._name, self._heard = room, name, heard
        self._begun_s = time.monotonic()
        self.joined_s: float | None = None
        self.welcomed = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self._data = bytearray()
        self._upgraded = False
        self._revision = -1
        self._says = [status_of(name), *([report_of(others)] if others else [])]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write((HANDSHAKE % self._room).encode())

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        self._heard.lost += 1
        if not self.welcomed.done():
            self.welcomed.set_result(False)

    def data_received(self, data: bytes) -> None:
        now_us = time.monotonic_ns() // 1000
        self._data += data
        if not self._upgraded and not self._upgrade():
            return
        at = 0
        while (end := self._frame_end(at)) is not None:
            self._take(at, end, now_us)
            at = end
        del self._data[:at]

    def _upgrade(self) -> bool:
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if not end:
            return False
        assert head.startswith(b"HTTP/1.1 101"), bytes(head)
        self._data, self._upgraded = rest, True
        known = ["chat", "songs", "going_down"]
        hello = {"type": "hello", "version": 1, "name": self._name, "capabilities": known}
        self.say(frame(hello))
        return True

    def _frame_end(self, at: int) -> int | None:
        data = self._data
        if len(data) < at + 2:
            return None
        size, head = data[at + 1], 2
        if size == 126:
            head = 4
            if len(data) < at + head:
                return None
            (size,) = struct.unpack_from(">H", data, at + 2)
        elif size == 127:
            head = 10
            if len(data) < at + head:
                return None
            (size,) = struct.unpack_from(">Q", data, at + 2)
        end = at + head + int(size)
        return end if len(data) >= end else None

    def _take(self, at: int, end: int, now_us: int) -> None:
        data = self._data
        if data[at] == 0x89:  # ping: a pong of the same
            size = data[at + 1]
            self.say(bytes([0x8A, 0x80 | size]) + bytes(4) + bytes(data[end - size : end]))
            return
        start = at + (2 if data[at + 1] < 126 else 4 if data[at + 1] == 126 else 10)
        self._heard.messages += 1
        self._heard.bytes += end - at
        if data.startswith(BAR_SYNC, start):
            self._bar_sync(bytes(data[start:end]), now_us)
        elif self.joined_s is None and data.startswith(WELCOME, start):
            self.joined_s = time.monotonic() - self._begun_s
            self.welcomed.set_result(True)

    def _bar_sync(self, text: bytes, now_us: int) -> None:
        target, revision = TARGET.search(text), REVISION.search(text)
        assert target is not None
        assert revision is not None
        is_new = int(revision[1]) != self._revision
        self._revision = int(revision[1])
        early_us = int(target[1]) - now_us
        (self._heard.changes_us if is_new else self._heard.bars_us).append(early_us)

    def say(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)

    def tick(self) -> None:
        """What a client says each second, once it is in."""
        if self.joined_s is None:
            return
        for data in self._says:
            self.say(data)


def status_of(name: str) -> bytes:
    status: dict[str, Any] = {"type": "member_status", "round_trip_us": 300.0 + len(name)}
    status |= {"error_bound_us": 200.0, "drift_ppm": 0.1, "jitter_us": 20.0, "offset_us": 0.0}
    status |= {"probes": "udp", "engine": "running", "ticks": 4800, "late_ticks": 0}
    return frame({**status, "early_us": 0.0})


def report_of(others: list[str]) -> bytes:
    hearing = {"profile": "jam", "repair": True, "latency_ms": 42.0, "path": "direct"}
    hears = [{"member": name, **hearing, "jitter_ms": 0.7} for name in others]
    sends = {"channels": 2, "packet_frames": 240, "source_packets": 18, "repair_packets": 10}
    return frame({"type": "audio_report", "hears": hears, "sends": sends})


class Crowd:
    """All members of this program."""

    def __init__(self, port: int, first: int, rooms: int, members: int, audio: bool) -> None:
        self._port = port
        self._audio = audio
        names = [f"player{n}" for n in range(members)]
        self._wanted = [
            (f"room{first + room}", name, [other for other in names if other != name])
            for name in names
            for room in range(rooms)
        ]
        self._heard = Heard()
        self._members: list[Member] = []
        self._leaders: dict[str, Member] = {}
        self._begun_s = time.monotonic()
        self._guests = itertools.count()

    async def _connect(self, room: str, name: str, others: list[str]) -> Member:
        loop = asyncio.get_running_loop()
        made = Member(room, name, others if self._audio else [], self._heard)
        await loop.create_connection(lambda: made, "127.0.0.1", self._port)
        return made

    async def join(self, rate: float) -> dict[str, Any]:
        """All of them, so many a second; 0: all at once."""
        begun_s = time.monotonic()
        tasks = []
        for n, wanted in enumerate(self._wanted):
            if rate:
                await asyncio.sleep(max(begun_s + n / rate - time.monotonic(), 0))
            tasks.append(asyncio.create_task(self._connect(*wanted)))
        self._members = list(await asyncio.gather(*tasks))
        for member, (room, _, _) in zip(self._members, self._wanted, strict=True):
            self._leaders.setdefault(room, member)
        await asyncio.wait([member.welcomed for member in self._members], timeout=60)
        joins = [member.joined_s for member in self._members if member.joined_s is not None]
        return {"joins_s": joins, "all_s": time.monotonic() - begun_s}

    async def guest(self, room: str) -> dict[str, Any]:
        """Somebody joins a room that plays, and leaves."""
        member = await self._connect(room, f"guest{next(self._guests)}", [])
        await asyncio.wait_for(asyncio.shield(member.welcomed), 30)
        member.say(b"\x88\x82" + bytes(4) + b"\x03\xe8")
        return {"join_s": member.joined_s}

    async def live(self) -> None:
        """Say what clients say, evenly spread."""
        for turn in itertools.count():
            due_s = self._begun_s + turn * 0.01
            await asyncio.sleep(max(due_s - time.monotonic(), 0))
            for n in range(turn % 100, len(self._members), 100):
                self._members[n].tick()

    async def probe(self) -> None:
        """The clock probes of all, over UDP."""
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.connect(("127.0.0.1", self._port))
        data, owed, seen_s = encode_clock_probe(1, 0), 0.0, time.monotonic()
        with udp:
            while True:
                await asyncio.sleep(PROBE_EVERY_S)
                now_s = time.monotonic()
                owed += (now_s - seen_s) * PROBES_A_SECOND * len(self._members)
                seen_s = now_s
                for _ in range(min(int(owed), 2000)):
                    try:
                        udp.send(data)
                        udp.recv(64)
                    except OSError:
                        pass
                owed -= int(owed)

    def start(self) -> dict[str, Any]:
        for leader in self._leaders.values():
            leader.say(frame({"type": "start", "id": 1}))
        return {}

    def change(self, room: str, bpm: float) -> dict[str, Any]:
        self._leaders[room].say(frame({"type": "tempo", "id": 2, "bpm": bpm}))
        return {}

    def report(self) -> dict[str, Any]:
        heard = self._heard
        return {
            "bars_us": heard.bars_us,
            "changes_us": heard.changes_us,
            "messages": heard.messages,
            "bytes": heard.bytes,
            "lost": heard.lost,
        }

    def reset(self) -> dict[str, Any]:
        """What came so far does not count."""
        self._heard.__init__()  # type: ignore[misc]
        return {}

    async def obey(self, words: list[str]) -> dict[str, Any]:
        """One line."""
        match words:
            case ["join", rate]:
                return await self.join(float(rate))
            case ["guest", room]:
                return await self.guest(room)
            case ["start"]:
                return self.start()
            case ["change", room, bpm]:
                return self.change(room, float(bpm))
            case ["reset"]:
                return self.reset()
        return self.report()


async def main(port: int, first: int, rooms: int, members: int, audio: bool) -> None:
    crowd = Crowd(port, first, rooms, members, audio)
    tasks = [asyncio.create_task(part) for part in (crowd.live(), crowd.probe())]
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await crowd.obey(line.split())), flush=True)  # noqa: T201
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:6]]
    asyncio.run(main(words[0], words[1], words[2], words[3], bool(words[4])))
