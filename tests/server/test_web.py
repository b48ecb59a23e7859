"""The server over real sockets: what members, hostile ones among them, can rely on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from midipool_native import host_clock
from midipool_server import clock_service, host, voting
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.public_address import PROXIES, networks
from midipool_server.web import make_app

HELLO = {"type": "hello", "version": 1, "name": "drums"}


class Server:
    """A room server in this process, and clients of it."""

    def __init__(self, list_rooms: bool = True, trust_proxy: bool = False) -> None:
        self.host = RoomHost(Lobby("0123456789abcdef"), clock_service.now_us, host_clock.now_ns)
        trusted = networks(PROXIES) if trust_proxy else ()
        self.runner = web.AppRunner(make_app(self.host, list_rooms, trusted))
        self.http = aiohttp.ClientSession()
        self.address = ""

    async def start(self) -> None:
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{self.runner.addresses[0][1]}"

    async def connect(self, room: str = "jam") -> aiohttp.ClientWebSocketResponse:
        return await self.http.ws_connect(f"{self.address}/{room}")

    async def join(self, name: str, **more: Any) -> aiohttp.ClientWebSocketResponse:
        socket = await self.connect()
        await socket.send_json({**HELLO, "name": name, **more})
        assert (await receive(socket, "welcome"))["room"] == "jam"
        return socket

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.http.get(self.address + path) as answer:
            return answer.status, await answer.json()

    async def stop(self) -> None:
        await self.http.close()
        await self.runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


async def receive(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of a type; others are passed over."""
    async with asyncio.timeout(10):
        while True:
            message: dict[str, Any] = json.loads(await socket.receive_str())
            if message["type"] == kind:
                return message


async def closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(10):
        async for _ in socket:
            pass
    return socket.close_code


async def test_a_command_reaches_everybody_with_the_whole_timeline(server: Server) -> None:
    drums, bass = await server.join("drums"), await server.join("bass")
    await drums.send_json({"type": "start", "id": 7})
    ok = await receive(drums, "ok")
    assert ok["id"] == 7
    for socket in (drums, bass):
        sync = await receive(socket, "bar_sync")
        assert sync["target_send_timestamp"] == ok["target_send_timestamp"]
        assert sync["playing"]
        assert sync["position"] == {"bar": 1, "beat": 1, "song_position": 0}
        assert sync["timeline"]["origin_time_us"] == ok["target_send_timestamp"]
        # Two bars of 4/4 at 120 BPM take 4 s: the bars at 2 s and 4 s are announced at once.
        later = [(await receive(socket, "bar_sync"))["target_send_timestamp"] for _ in range(2)]
        assert [t - ok["target_send_timestamp"] for t in later] == [2_000_000, 4_000_000]


async def test_the_room_is_described_over_http(server: Server) -> None:
    clock = {"clock_port": 0, "clock_id": "0123456789abcdef", "stun_ports": []}
    health = {"status": "ok", "rooms": 0, "members": 0, **clock}
    assert await server.get("/healthz") == (200, health)
    assert (await server.get("/api/rooms/jam"))[0] == 404
    drums = await server.join("drums")
    status, room = await server.get("/api/rooms/jam")
    assert status == 200
    assert [m["name"] for m in room["members"]] == ["drums"]
    keys = {"bpm", "meter", "playing", "position", "revision", "epoch", "members"}
    assert keys <= room.keys()
    assert len((await server.get("/api/rooms"))[1]["rooms"]) == 1
    await drums.close()
    async with asyncio.timeout(10):
        while (await server.get("/api/rooms"))[1]["rooms"]:
            pass


@pytest.mark.parametrize(
    ("text", "code", "field", "id"),
    [
        ("{", "bad_message", None, None),
        ("[]", "bad_message", None, None),
        ('{"type": "dance", "id": 1}', "bad_message", "type", 1),
        ('{"type": "tempo", "id": 2, "bpm": 5}', "bad_message", "bpm", 2),
        ('{"type": "tempo", "id": 3, "bpm": "fast"}', "bad_message", "bpm", 3),
        ('{"type": "start", "id": 4, "now": true}', "bad_message", "now", 4),
        ('{"type": "meter", "id": 5, "meter": {"numerator": 4, "denominator": 3}}', *("",) * 3),
        ('{"type": "locate", "id": 6, "position": {"bar": 1, "beat": 9}}', "bad_value", *("",) * 2),
        ('{"type": "start", "id": 8, "epoch": 99}', "stale_epoch", "epoch", 8),
        ('{"type": "hello", "version": 1, "name": "x"}', "hello_expected", None, None),
        ('{"type": "takeover", "timelines": []}', "bad_message", "timelines", None),
        ('{"type": "ballot", "id": 9, "vote": 3, "yes": true}', "no_such_vote", "vote", 9),
        ('{"type": "mode", "id": 10, "mode": "leader"}', "bad_value", "leader", 10),
        ('{"type": "mode", "id": 11, "mode": "leader", "leader": "x"}', "bad_value", "leader", 11),
        ('{"type": "start", "id": 12, "since": 0}', "bad_value", "since", 12),
        ('{"type": "start", "id": 13, "count_in_bars": 9}', "bad_message", "count_in_bars", 13),
        ("[" * 5000, "bad_message", None, None),
    ],
)
async def test_what_is_wrong_is_told_and_the_connection_lives_on(
    server: Server, text: str, code: str, field: str | None, id: int | None
) -> None:
    drums, bass = await server.join("drums"), await server.join("bass")
    await receive(drums, "members")
    await drums.send_str(text)
    error = await receive(drums, "error")
    if code:
        assert error["code"] == code
    if field != "":
        assert (error.get("field"), error.get("id")) == (field, id)
    await drums.send_json({"type": "stop", "id": 99})
    assert (await receive(drums, "ok"))["id"] == 99
    # The other member sees the stop, and nothing else.
    assert (await receive(bass, "bar_sync"))["playing"] is False


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        ({**HELLO, "version": 2}, "bad_version"),
        ({**HELLO, "name": "a\u0007b"}, "bad_message"),
        ({**HELLO, "name": "x" * 10_000}, "bad_message"),
        ({**HELLO, "role": "remote"}, "no_such_room"),
        ({"type": "start", "id": 1}, "hello_expected"),
    ],
)
async def test_who_is_not_let_in_hears_why(
    server: Server, hello: dict[str, Any], code: str
) -> None:
    socket = await server.connect()
    await socket.send_json(hello)
    assert (await receive(socket, "error"))["code"] == code
    failed = code == "no_such_room"  # which may be another time
    assert (await receive(socket, "closing")).get("again", True) is failed
    going, refused = aiohttp.WSCloseCode.GOING_AWAY, aiohttp.WSCloseCode.POLICY_VIOLATION
    assert await closed(socket) == (going if failed else refused)
    assert (await server.get("/api/rooms"))[1]["rooms"] == []


async def test_a_vote_is_held_and_ends_by_itself(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    drums, bass = await server.join("drums"), await server.join("bass")
    await drums.send_json({"type": "mode", "id": 1, "mode": "vote"})
    assert (await receive(bass, "room_mode"))["mode"] == "vote"
    await drums.send_json({"type": "tempo", "id": 2, "bpm": 132.5})
    vote = await receive(bass, "vote")
    assert (vote["proposer"], vote["text"], vote["needed"]) == ("drums", "tempo 132.5", 2)
    await bass.send_json({"type": "ballot", "id": 3, "vote": vote["vote"], "yes": True})
    assert (await receive(drums, "ok"))["id"] == 1
    assert (await receive(drums, "ok"))["id"] == 2
    assert (await receive(bass, "vote_result"))["passed"] is True
    monkeypatch.setattr(voting, "VOTE_US", 100_000)
    await drums.send_json({"type": "tempo", "id": 4, "bpm": 90})
    error = await receive(drums, "error")
    assert (error["code"], error["id"]) == ("vote_failed", 4)
    assert (await receive(bass, "vote_result"))["passed"] is False


@pytest.mark.parametrize("room", ["api", "rooms", "static", "a b", "x" * 65, "-"])
async def test_a_room_that_cannot_be(server: Server, room: str) -> None:
    socket = await server.connect(room)
    await socket.send_json(HELLO)
    assert (await receive(socket, "error"))["code"] == "bad_room"


async def test_names_are_taken_once_and_a_token_takes_a_place_again(server: Server) -> None:
    socket = await server.connect()
    await socket.send_json(HELLO)
    token = (await receive(socket, "welcome"))["token"]
    other = await server.connect()
    await other.send_json(HELLO)
    assert (await receive(other, "error"))["code"] == "name_taken"
    again = await server.join("drums", token=token)
    assert "came back" in (await receive(socket, "closing"))["reason"]
    assert len((await server.get("/api/rooms/jam"))[1]["members"]) == 1
    await again.close()


async def test_a_flood_ends_only_the_one_who_floods(server: Server) -> None:
    drums, bass = await server.join("drums"), await server.join("bass")
    for n in range(400):
        await drums.send_json({"type": "clock_probe", "t1_ns": n})
    assert (await receive(drums, "error"))["code"] == "too_fast"
    assert "more messages" in (await receive(drums, "closing"))["reason"]
    await bass.send_json({"type": "start", "id": 1})
    assert (await receive(bass, "ok"))["id"] == 1


async def test_who_does_not_read_is_dropped_and_nobody_else_notices(server: Server) -> None:
    drums, bass = await server.join("drums"), await server.join("bass")
    stalled = server.host._connections[1]
    members = server.host.lobby.rooms["jam"].places.message()
    async with asyncio.timeout(20):
        while not stalled.ended.is_set():
            stalled.send(members)
            await asyncio.sleep(0)
    await bass.send_json({"type": "start", "id": 1})
    assert (await receive(bass, "ok"))["id"] == 1
    await drums.close()


async def test_who_says_nothing_is_let_go(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "HELLO_PATIENCE_S", 0.05)
    socket = await server.connect()
    assert (await receive(socket, "error"))["code"] == "hello_expected"
    connection = server.host._connections[1]
    await closed(socket)
    async with asyncio.timeout(10):
        await connection.ended.wait()
    assert server.host._connections == {}


async def test_a_message_that_is_too_long_ends_the_connection(server: Server) -> None:
    drums = await server.join("drums")
    await drums.send_str(" " * 70_000)
    assert await closed(drums) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_the_clock_is_told_over_the_websocket_too(server: Server) -> None:
    drums = await server.join("drums")
    t1_ns = host_clock.now_ns()
    await drums.send_json({"type": "clock_probe", "t1_ns": t1_ns})
    reply = await receive(drums, "clock_reply")
    assert reply["t1_ns"] == t1_ns
    assert t1_ns <= reply["t2_ns"] <= reply["t3_ns"] <= host_clock.now_ns()


async def test_a_broken_connection_keeps_its_place(server: Server) -> None:
    drums, bass = await server.join("drums"), await server.join("bass")
    await receive(bass, "members")
    connection = drums._response.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.abort()
    members = await receive(bass, "members")
    async with asyncio.timeout(10):
        while all(m["connected"] for m in members["members"]):
            members = await receive(bass, "members")
    assert [(m["name"], m["connected"]) for m in members["members"]] == [
        ("drums", False),
        ("bass", True),
    ]


async def test_a_shutdown_is_announced(server: Server) -> None:
    drums = await server.join("drums")
    stopping = asyncio.create_task(server.runner.cleanup())
    closing = await receive(drums, "closing")
    assert closing == {"type": "closing", "reason": "the server shuts down"}
    assert await closed(drums) == aiohttp.WSCloseCode.GOING_AWAY
    await stopping


async def test_who_does_not_read_is_not_told_how_it_is_heard(server: Server) -> None:
    """It would fill the outbox that its timeline comes through."""
    drums, bass = await server.join("drums"), await server.join("bass")
    [to_bass] = [c for c in server.host._connections.values() if c.id == 2]
    report = {"type": "audio_report", "hears": [{"member": "bass", "profile": "jam"}]}
    for crowded in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if crowded:
                patch.setattr(type(to_bass), "crowded", property(lambda _: True))
            await drums.send_json(report)
            await drums.send_json({"type": "clock_probe", "t1_ns": 1})
            await receive(drums, "clock_reply")
    await drums.send_json({"type": "start", "id": 1})
    kinds: list[str] = []
    while not kinds or kinds[-1] != "bar_sync":
        kinds.append(json.loads(await bass.receive_str())["type"])
    assert kinds.count("heard_by") == 1
