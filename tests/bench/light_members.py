"""Members of a room without audio engines of their own: one program that sends sound for them all.

`python -m tests.bench.light_members URL LISTENER PORT COUNT`: they join by WebSocket as any client,
say how they do and how they hear LISTENER, and send one sound, encoded by libroc once and sealed
for each with its own key, straight to the listener's media socket at PORT. It ends with its input.
"""

import asyncio
import contextlib
import json
import sys
import time
from typing import Any

import aiohttp
import numpy as np

from midipool.media_datagram import MediaKind
from midipool_native.media_address import Address
from midipool_native.media_socket import Destination, MediaSocket, open_udp
from midipool_native.roc import SOURCE, Context, Encoder, EncoderSettings, Fec

RATE, PACKET_FRAMES, CHANNELS = 48_000, 240, 2
FEC = Fec(18, 10)
STREAM = {
    "channels": CHANNELS,
    "packet_frames": PACKET_FRAMES,
    "source_packets": FEC.source_packets,
    "repair_packets": FEC.repair_packets,
}
STATUS_S = 1.0


class LightMember:
    """One of them."""

    def __init__(self, name: str, listener: str, port: int) -> None:
        self.name, self._listener = name, listener
        self.socket = MediaSocket(open_udp("127.0.0.1"))
        self.socket.set_destinations([Destination(Address("127.0.0.1", port))])
        self.room_us = 0
        """Room time at host time 0."""
        self.seated = False
        self._sender = 0

    async def run(self, http: aiohttp.ClientSession, url: str) -> None:
        """Be in the room until cancelled."""
        async with http.ws_connect(url) as web:
            await web.send_json({"type": "hello", "version": 1, "name": self.name})
            telling = asyncio.create_task(self._tell(web))
            try:
                async for message in web:
                    self._hear(json.loads(message.data))
            finally:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)

    def _hear(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "welcome":
                self._sender = message["media"]["sender"]
                self._seal_with(message["media"])
            case "media_key":
                self._seal_with(message)
            case "clock_reply":
                now_ns = time.monotonic_ns()
                room_ns = (message["t2_ns"] + message["t3_ns"]) // 2
                self.room_us = (room_ns - (message["t1_ns"] + now_ns) // 2) // 1000

    def _seal_with(self, seat: dict[str, Any]) -> None:
        self.socket.send_as(seat["key_id"], bytes.fromhex(seat["key"]), self._sender)
        self.seated = True

    async def _tell(self, web: aiohttp.ClientWebSocketResponse) -> None:
        ticks = 0
        while True:
            await web.send_json({"type": "clock_probe", "t1_ns": time.monotonic_ns()})
            hearing = {"member": self._listener, "profile": "safe", "repair": False}
            hearing |= {"latency_ms": 60.0, "path": "direct", "jitter_ms": 0.5 + ticks % 5 * 0.1}
            await web.send_json({"type": "audio_report", "hears": [hearing], "sends": STREAM})
            status: dict[str, Any] = {
                "round_trip_us": 300.0 + ticks % 7,
                "error_bound_us": 200.0,
                "drift_ppm": 0.1,
            }
            status |= {"jitter_us": 20.0, "offset_us": 0.0, "probes": "udp", "engine": "running"}
            status |= {"ticks": 48 * ticks, "late_ticks": 0, "early_us": 0.0}
            await web.send_json({"type": "member_status", **status})
            ticks += 1
            await asyncio.sleep(STATUS_S)

    def send(self, packet: bytes, now_ns: int) -> None:
        """A packet of sound."""
        if self.seated:
            self.socket.send(MediaKind.SOURCE, self.room_us + now_ns // 1000, packet)


async def play(members: list[LightMember]) -> None:
    """Encode noise of changing level, and send it for all, until cancelled."""
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (RATE, CHANNELS)).astype(np.float32)
    noise *= np.linspace(0.05, 1.0, RATE, dtype=np.float32)[:, None]
    settings = EncoderSettings(channels=CHANNELS, packet_frames=PACKET_FRAMES, fec=FEC)
    with Context() as context, Encoder(context, settings) as encoder:
        began_s, number = time.monotonic(), 0
        while True:
            at = number * PACKET_FRAMES % RATE
            encoder.push_frame(noise[at : at + PACKET_FRAMES].tobytes())
            while (packet := encoder.pop_packet(SOURCE)) is not None:
                now_ns = time.monotonic_ns()
                for member in members:
                    member.send(packet, now_ns)
            number += 1
            due_s = began_s + number * PACKET_FRAMES / RATE
            await asyncio.sleep(max(due_s - time.monotonic(), 0.0))


async def main(url: str, listener: str, port: int, count: int) -> None:
    members = [LightMember(f"light{n}", listener, port) for n in range(1, count + 1)]
    try:
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
            tasks = [group.create_task(member.run(http, url)) for member in members]
            tasks.append(group.create_task(play(members)))
            await asyncio.to_thread(sys.stdin.read)
            for task in tasks:
                task.cancel()
    finally:
        for member in members:
            member.socket.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
