"""Audio's way through a real server: keys by WebSocket, datagrams by UDP."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from midipool.errors import InvalidDatagram, Unavailable
from midipool.media_datagram import MediaHeader, MediaKind
from midipool_native import media
from midipool_server import cli, media_service
from midipool_server.media_relay import MediaRelay
from midipool_server.settings import Effective, given, together

from .test_web import Server, receive

pytestmark = pytest.mark.skipif(not media.sodium_found(), reason="there is no libsodium")

OFFER: dict[str, Any] = {
    "type": "media_offer",
    "to": "bass",
    "generation": 1,
    "ufrag": "abcd",
    "pwd": "0123456789abcdefABCDEF",
    "candidates": [{"kind": "host", "address": "::1", "port": 4000, "priority": 9}],
}


class Player:
    """A member with a UDP socket."""

    def __init__(self, welcome: dict[str, Any], web: aiohttp.ClientWebSocketResponse) -> None:
        self.web = web
        self.seat = welcome["media"]
        self.key = bytes.fromhex(self.seat["key"])
        self.counter = 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.udp.settimeout(10)
        self.relay = ("127.0.0.1", self.seat["port"])

    def send(self, kind: MediaKind, payload: bytes = b"") -> bytes:
        """Seal a datagram and send it."""
        self.counter += 1
        header = MediaHeader(kind, self.seat["key_id"], self.seat["sender"], self.counter, 77)
        sealed = media.seal(self.key, header, payload)
        self.udp.sendto(sealed, self.relay)
        return sealed

    async def get(self) -> bytes:
        return await asyncio.to_thread(self.udp.recv, 2000)

    async def say_hello(self) -> MediaHeader:
        self.send(MediaKind.HELLO, b"now")
        header, payload = media.open_sealed(self.key, await self.get())
        assert (header.kind, header.sender) == (MediaKind.HELLO_OK, 0)
        port = self.udp.getsockname()[1]
        assert payload[:8] == bytes([0, 1]) + port.to_bytes(2, "big") + bytes([127, 0, 0, 1])
        assert payload[16:] == b"now"
        self.send(MediaKind.HELLO, payload[8:16])  # its token
        return media.open_sealed(self.key, await self.get())[0]


class Stage:
    """A server with a relay, and its players."""

    def __init__(self) -> None:
        self.server = Server()
        self.relay, self.port = relay_on_a_free_port()
        self.server.host.media = self.relay
        self.server.host.lobby.new_media = media_service.room_media(self.port)
        self.players: list[Player] = []

    async def join(self, name: str, room: str = "jam") -> Player:
        web = await self.server.connect(room)
        await web.send_json({"type": "hello", "version": 1, "name": name})
        self.players.append(Player(await receive(web, "welcome"), web))
        return self.players[-1]

    async def sent_to(self) -> dict[str, int]:
        """How many datagrams the relay sent to each player of the room."""
        relay = (await self.server.get("/api/rooms/jam"))[1]["relay"]
        return {name: counts["to_packets"] for name, counts in relay.items()}

    async def stop(self) -> None:
        await self.server.stop()
        self.relay.close()
        for player in self.players:
            player.udp.close()


def relay_on_a_free_port() -> tuple[MediaRelay, int]:
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with contextlib.suppress(Unavailable):
            relay = media_service.open_relay("127.0.0.1", port, 100)
            assert relay is not None
            return relay, port


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    await made.server.start()
    yield made
    await made.stop()


async def test_players_hear_each_other_by_the_relay(stage: Stage) -> None:
    drums, bass = await stage.join("drums"), await stage.join("bass")
    first, second = await drums.say_hello(), await bass.say_hello()
    assert first.counter != second.counter
    sent = drums.send(MediaKind.SOURCE, b"a bar")
    assert await bass.get() == sent
    header, payload = media.open_sealed(bass.key, sent)
    assert (header.sender, header.capture_us, payload) == (drums.seat["sender"], 77, b"a bar")
    sent = bass.send(MediaKind.CONTROL, b"report")
    assert await drums.get() == sent


async def test_who_refuses_or_is_not_linked_gets_none_of_a_stream_that_others_hear(
    stage: Stage,
) -> None:
    drums, bass, keys, mix = [await stage.join(n) for n in ("drums", "bass", "keys", "mix")]
    answer = {"member": "drums", "profile": "jam", "answer": "refused"}
    await bass.web.send_json({"type": "audio_report", "hears": [answer]})
    await receive(drums.web, "heard_by")
    unlink = {"type": "graph_unlink", "id": 1, "source": "drums", "target": "keys"}
    await keys.web.send_json({**unlink, "medium": "audio"})
    await receive(keys.web, "ok")
    before = await stage.sent_to()
    for player in (drums, bass, keys, mix):
        await player.say_hello()
    for beat in range(20):
        sent = drums.send(MediaKind.SOURCE, bytes([beat]) * 100)
        assert await mix.get() == sent
    # They may still be asked for another way, and hear what the others play.
    kept = drums.send(MediaKind.KEEPALIVE, bytes(8))
    other = mix.send(MediaKind.SOURCE, b"for all")
    for player in (bass, keys):
        assert {await player.get(), await player.get()} == {kept, other}
    assert (await mix.get(), await drums.get()) == (kept, other)
    counted = {name: many - before[name] for name, many in (await stage.sent_to()).items()}
    # Two are answers to hellos.
    assert counted == {"drums": 3, "bass": 4, "keys": 4, "mix": 23}
    await bass.web.send_json({"type": "audio_report", "hears": [{**answer, "answer": "accepted"}]})
    await receive(drums.web, "heard_by")
    for player in (drums, bass):  # the relay forgets who says nothing for a second
        await player.say_hello()
    sent = drums.send(MediaKind.SOURCE, b"heard again")
    assert await bass.get() == sent


async def test_rooms_do_not_hear_each_other(stage: Stage) -> None:
    drums, bass = await stage.join("drums"), await stage.join("bass")
    other = await stage.join("bass", "basement")
    for player in (drums, bass, other):
        await player.say_hello()
    other.send(MediaKind.SOURCE, b"elsewhere")
    sent = drums.send(MediaKind.SOURCE, b"here")
    assert await bass.get() == sent
    await other.say_hello()  # Its answer is the first thing that comes there.
    with pytest.raises(InvalidDatagram):
        media.open_sealed(other.key, sent)


async def test_the_room_says_what_the_relay_did(stage: Stage) -> None:
    drums, bass = await stage.join("drums"), await stage.join("bass")
    await drums.say_hello()
    await bass.say_hello()
    sent = drums.send(MediaKind.SOURCE, b"a bar")
    assert await bass.get() == sent
    relay = (await stage.server.get("/api/rooms/jam"))[1]["relay"]
    assert relay.keys() == {"drums", "bass"}
    assert relay["drums"]["heard"] is True
    assert relay["drums"]["packets"] == 3
    answers = sum(22 + 8 + 8 + said + 16 for said in (3, 8))
    assert relay["bass"]["to_bytes"] == len(sent) + answers
    assert "127.0.0.1" not in str(relay)  # The page is for everybody, addresses are not.


async def test_who_left_is_not_relayed_and_cannot_open_what_follows(stage: Stage) -> None:
    drums, bass, keys = [await stage.join(name) for name in ("drums", "bass", "keys")]
    for player in (drums, bass, keys):
        await player.say_hello()
    await bass.web.close()
    for player in (drums, keys):
        message = await receive(player.web, "media_key")
        player.key, player.seat["key_id"] = bytes.fromhex(message["key"]), message["key_id"]
        await player.say_hello()
    sent = drums.send(MediaKind.SOURCE, b"without bass")
    assert await keys.get() == sent
    assert media.open_sealed(keys.key, sent)[1] == b"without bass"
    with pytest.raises(InvalidDatagram):
        media.open_sealed(bass.key, sent)
    bass.udp.setblocking(False)
    with pytest.raises(BlockingIOError):
        bass.udp.recv(2000)
    assert (await stage.server.get("/api/rooms/jam"))[1]["relay"].keys() == {"drums", "keys"}


async def test_who_comes_back_is_relayed_under_its_new_sender_id(stage: Stage) -> None:
    drums, bass = await stage.join("drums"), await stage.join("bass")
    await drums.say_hello()
    await bass.say_hello()
    old = bass.seat["sender"]
    web = await stage.server.connect()
    welcome_token = stage.server.host.lobby.rooms["jam"].places.members()[1].token
    hello = {"type": "hello", "version": 1, "name": "bass", "token": welcome_token}
    await web.send_json(hello)
    again = Player(await receive(web, "welcome"), web)
    stage.players.append(again)
    assert again.seat["sender"] > old
    assert again.key == bass.key
    await again.say_hello()
    sent = drums.send(MediaKind.SOURCE, b"still here?")
    assert await again.get() == sent


async def test_an_offer_is_passed_on_by_name(stage: Stage) -> None:
    drums, bass = await stage.join("drums"), await stage.join("bass")
    await drums.web.send_json(OFFER)
    got = await receive(bass.web, "media_offer_from")
    same = {name: value for name, value in OFFER.items() if name != "to"}
    assert got == {**same, "type": "media_offer_from", "name": "drums"}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"to": "nobody"}, "no_such_member", "to"),
        ({"to": "drums"}, "no_such_member", "to"),
        ({"ufrag": "a b c"}, "bad_message", "ufrag"),
        ({"pwd": "short"}, "bad_message", "pwd"),
        ({"candidates": OFFER["candidates"] * 17}, "bad_message", "candidates"),
        (
            {"candidates": [{**OFFER["candidates"][0], "address": "host.example"}]},
            "bad_message",
            "candidates[0]",
        ),
        (
            {"candidates": [{**OFFER["candidates"][0], "port": 0}]},
            "bad_message",
            "candidates[0].port",
        ),
    ],
)
async def test_an_offer_that_cannot_be_is_refused(
    stage: Stage, change: dict[str, Any], code: str, field: str
) -> None:
    drums = await stage.join("drums")
    await stage.join("bass")
    await drums.web.send_json({**OFFER, **change})
    error = await receive(drums.web, "error")
    assert (error["code"], error["field"]) == (code, field)


async def test_a_busy_port_says_what_to_choose(stage: Stage) -> None:
    with pytest.raises(Unavailable, match=f"UDP port {stage.port} .* --media-port"):
        media_service.open_relay("127.0.0.1", stage.port, 10)


def flags(words: str) -> Effective:
    return given.given(cli._parser().parse_args(words.split()))


@pytest.mark.parametrize(
    ("words", "port"),
    [
        ("--port 9000", 9001),
        ("--port 9000 --media-port 7000", 7000),
        ("--port 9000 --media-port 0", 0),
        ("--port 9000 --media-port 7000 --no-media", 0),
        ("--port 9000 --media-port 9000 --no-udp", 9000),
    ],
)
def test_the_relays_port_is_the_one_above_unless_another_is_chosen(words: str, port: int) -> None:
    assert together.media_port(flags(words).settings()) == port


@pytest.mark.parametrize("words", ["--port 65535", "--port 9000 --media-port 9000"])
def test_a_port_that_the_relay_cannot_have_says_what_to_choose(words: str) -> None:
    [problem] = flags(words).problems
    assert "--media-port" in problem.rule


@pytest.mark.parametrize(
    ("words", "port"),
    [
        ("--port 9000", 9002),
        ("--port 9000 --media-port 7000", 7001),
        ("--port 9000 --stun-port 3478", 3478),
        ("--port 9000 --stun-port 0", 0),
        ("--port 9000 --no-media", 0),
    ],
)
def test_the_second_port_of_stun_is_behind_the_relays(words: str, port: int) -> None:
    assert together.stun_port(flags(words).settings()) == port


@pytest.mark.parametrize("words", ["--port 65534", "--stun-port 8766", "--stun-port 8765"])
def test_a_port_that_stun_cannot_have_says_what_to_choose(words: str) -> None:
    [problem] = flags(words).problems
    assert "--stun-port" in problem.rule


async def test_a_member_is_told_of_both_ports_and_a_busy_one_is_named(stage: Stage) -> None:
    stage.server.host.lobby.new_media = media_service.room_media(stage.port, 3478)
    drums = await stage.join("drums", "told")
    assert (drums.seat["port"], drums.seat["stun_port"]) == (stage.port, 3478)
    relay, port = relay_on_a_free_port()
    relay.close()
    with pytest.raises(Unavailable, match=f"UDP port {stage.port} .* --stun-port"):
        media_service.open_relay("127.0.0.1", port, 10, stage.port)
    # Where nobody asked for that port, it is done without.
    relay_without = media_service.open_relay("127.0.0.1", port, 10, stage.port, False)
    assert relay_without is not None
    assert relay_without.stun_port is None
    relay_without.close()


async def test_without_libsodium_there_is_no_relay(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(media, "sodium_found", lambda: False)
    with caplog.at_level(logging.WARNING):
        assert media_service.open_relay("127.0.0.1", 1, 10) is None
    assert "libsodium23" in caplog.text
    assert len(caplog.records) == 1


async def test_keys_that_others_can_read_are_warned_of_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.join("drums")
    assert "plain ws://" not in caplog.text
    monkeypatch.setattr("midipool_server.connection._is_private", lambda *_: False)
    await stage.join("bass")
    await stage.join("keys")
    assert caplog.text.count("plain ws://") == 1
