"""Clients that are slow, many, huge or dishonest: the server goes on serving the others."""

import asyncio
import contextlib
import gzip
import itertools
import os
import resource
import socket
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from midipool.messages import VoteResult
from midipool_demo.background import Background
from midipool_demo.stage import free_port
from midipool_server.connection import OUTBOX_SIZE
from midipool_server.operations import open_files
from midipool_server.outbox import UNREAD_BYTES
from midipool_server.outgoing import Outgoing
from tests.server.test_web import HELLO, Server, closed, receive

IDLE_S = 1.0
HANDSHAKE = (
    "GET /jam HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with started("--idle-s", str(IDLE_S)) as port:
        yield port


@contextlib.contextmanager
def started(*words: str) -> Iterator[int]:
    """A server of its own process, whose memory and log can be looked at."""
    port = free_port()
    with Background.python("midipool_server", "--port", str(port), "--no-media", *words) as server:
        server.wait_for_output("ws://")
        SERVERS[port] = server
        yield port
        assert server.alive
        assert "Traceback" not in server.output()


SERVERS: dict[int, Background] = {}


def memory_kib(port: int) -> int:
    status = Path(f"/proc/{SERVERS[port].process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


@contextlib.asynccontextmanager
async def raw(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def can_be_joined(port: int) -> None:
    """Somebody joins, and is answered (bench rooms measures how soon)."""
    url = f"http://127.0.0.1:{port}/jam"
    async with (
        aiohttp.ClientSession() as http,
        asyncio.timeout(10),
        http.ws_connect(url) as member,
    ):
        await member.send_json(HELLO)
        await receive(member, "welcome")
        await member.send_json({"type": "start", "id": 1})
        await receive(member, "ok")


async def test_who_sends_a_request_byte_by_byte_is_let_go(port: int) -> None:
    loop = asyncio.get_running_loop()
    async with raw(port) as (reader, writer), asyncio.timeout(10):
        begun_s = loop.time()
        ended = asyncio.create_task(reader.read())
        for byte in itertools.chain(b"GET /healthz HTTP/1.1\r\nX: ", itertools.repeat(97)):
            with contextlib.suppress(ConnectionError):
                writer.write(bytes([byte]))
                await writer.drain()
            done, _ = await asyncio.wait([ended], timeout=0.05)
            if done:
                break
        # However often a byte came: it counts from the beginning.
        assert loop.time() - begun_s >= IDLE_S * 0.9
    await can_be_joined(port)


async def test_who_sends_nothing_is_let_go_also_after_a_request(port: int) -> None:
    async with raw(port) as (first, _), raw(port) as (second, writer), asyncio.timeout(10):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b'"status":"ok"' in await second.readuntil(b"}")
        assert await first.read() == b""
        assert await second.read() == b""


@pytest.mark.parametrize(
    "request_text",
    [
        "GET /" + "a" * 20_000 + " HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nX: " + "a" * 20_000 + "\r\n\r\n",
        "GET / HTTP/1.1\r\n" + "".join(f"X{n}: 1\r\n" for n in range(500)) + "\r\n",
        "\x16\x03\x01\x02\x00\x01\x00",
        "GET / HTTP/9.9\r\n\r\n",
    ],
    ids=["path", "field", "fields", "tls", "version"],
)
async def test_what_is_too_long_or_no_http_is_refused_at_once(port: int, request_text: str) -> None:
    async with raw(port) as (reader, writer), asyncio.timeout(10):
        writer.write(request_text.encode("latin1"))
        answer = await reader.read()
        assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    await can_be_joined(port)


async def test_a_body_that_unpacks_to_a_thousand_times_as_much_is_not_unpacked(port: int) -> None:
    bomb = _bomb()
    assert len(bomb) < 300_000
    before = memory_kib(port)
    async with aiohttp.ClientSession() as http:
        for path in ("/healthz", "/api/rooms", "/nowhere/at/all"):
            headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
            with contextlib.suppress(aiohttp.ClientError):
                url = f"http://127.0.0.1:{port}{path}"
                async with http.post(url, data=bomb, headers=headers) as answer:
                    assert answer.status in (404, 405)
    assert memory_kib(port) - before < 20_000
    await can_be_joined(port)


def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(256)) + packer.flush()


async def test_messages_are_not_compressed_and_a_compressed_one_ends_the_connection(
    port: int,
) -> None:
    """permessage-deflate costs memory for each member, and what it unpacks to is unknown."""
    before = memory_kib(port)
    async with raw(port) as (reader, writer), asyncio.timeout(10):
        writer.write(HANDSHAKE.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101")
        assert b"permessage-deflate" not in head.lower()
        packed = gzip.compress(bytes(50_000_000), 9)
        # FIN and RSV1 (compressed), text, masked, 64-bit length.
        writer.write(b"\xc1\xff" + len(packed).to_bytes(8, "big") + bytes(4) + packed[:60_000])
        frame = await reader.readexactly(2)
        while frame[0] != 0x88:
            await reader.readexactly(frame[1])
            frame = await reader.readexactly(2)
        assert int.from_bytes(await reader.readexactly(2), "big") == 1002
    assert memory_kib(port) - before < 20_000


@pytest.mark.parametrize("parts", [1, 100])
async def test_a_frame_that_says_it_is_huge_is_not_waited_for(port: int, parts: int) -> None:
    async with raw(port) as (reader, writer), asyncio.timeout(10):
        writer.write(HANDSHAKE.encode())
        await reader.readuntil(b"\r\n\r\n")
        if parts == 1:
            writer.write(b"\x81\xff" + (1 << 40).to_bytes(8, "big") + bytes(4) + b"x" * 1000)
        for n in range(parts if parts > 1 else 0):
            # A message in pieces, none of them long: all together are.
            writer.write(
                bytes([0x01 if n == 0 else 0x00]) + b"\xfe\x04\x00" + bytes(4) + b" " * 1024
            )
        rest = b""
        # Whoever still sends when it is closed may miss the reason.
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while piece := await reader.read(4096):
                rest += piece
            assert (1009).to_bytes(2, "big") in rest
    await can_be_joined(port)


async def test_five_thousand_connections_that_say_nothing_keep_nobody_out() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 5000
    if hard < wanted + 200:
        pytest.skip(f"only {hard} files can be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + 200), hard))
    held: list[socket.socket] = []
    try:
        with started() as port:
            before = memory_kib(port)
            for _ in range(wanted):
                held.append(socket.create_connection(("127.0.0.1", port)))
            await can_be_joined(port)
            assert len(os.listdir(f"/proc/{SERVERS[port].process.pid}/fd")) > wanted
            assert memory_kib(port) - before < wanted * 40
    finally:
        for sock in held:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_the_limit_of_open_files_is_raised_to_what_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        open_files.allow_many()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_members_that_stop_reading_are_cut_one_by_one_and_the_others_hear_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half of a room stalls; the other half hears everything, in order."""
    last = OUTBOX_SIZE + 10
    server = Server()
    await server.start()
    try:
        readers = [await server.join(f"r{n}") for n in range(3)]
        stalled = [await server.join(f"s{n}") for n in range(3)]
        connections = list(server.host._connections.values())[3:]
        for connection in connections:
            transport = connection._transport
            assert transport is not None
            monkeypatch.setattr(connection._outbox, "_transport", _Full(transport))
        room = server.host.lobby.rooms["jam"]
        for n in range(1, last + 1):
            result = VoteResult(vote=n, passed=True, reason="")
            server.host._send(room, [Outgoing(result)])
            await asyncio.sleep(0)
        for member, connection in zip(stalled, connections, strict=True):
            await closed(member)
            await connection.ended.wait()
        assert server.host.tally.cut["outbox_full"] == 3
        for member in readers:
            heard = [(await receive(member, "vote_result"))["vote"] for _ in range(last)]
            assert heard == list(range(1, last + 1))
    finally:
        await server.stop()


class _Full:
    """A network that takes nothing."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.is_closing = transport.is_closing

    def get_write_buffer_size(self) -> int:
        return UNREAD_BYTES
