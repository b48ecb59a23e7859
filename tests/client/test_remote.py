"""`midipool-client room` against a real server, for the member who joined from this account."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from midipool.errors import InvalidMessage, InvalidValue, Refused, Unavailable
from midipool.messages import Chat, Mode, Say, SetMode, SetTempo, Start
from midipool_client import remote, tokens
from midipool_client.cli import _parser
from midipool_client.commands.room import _command
from midipool_client.remote import Remote
from midipool_client.room_url import RoomUrl
from midipool_native import host_clock
from midipool_server import clock_service
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.web import make_app

FASTER = SetTempo(id=1, bpm=132.5)


class Band:
    """A room server in this process, and members of its room."""

    def __init__(self, runner: web.AppRunner, http: aiohttp.ClientSession) -> None:
        self.http = http
        self.sockets: list[aiohttp.ClientWebSocketResponse] = []
        self.url = RoomUrl(False, "127.0.0.1", runner.addresses[0][1], "jam")

    async def join(self, name: str, keep: bool = True) -> aiohttp.ClientWebSocketResponse:
        socket = await self.http.ws_connect(str(self.url))
        await socket.send_json({"type": "hello", "version": 1, "name": name})
        welcome = await receive(socket, "welcome")
        self.sockets.append(socket)
        if keep:
            tokens.save(self.url, name, welcome["token"])
        return socket

    async def mode(self, mode: Mode, leader: str | None = None, by: str | None = None) -> None:
        await remote.send_command(self.url, SetMode(id=1, mode=mode, leader=leader), by)

    async def status(self) -> dict[str, Any]:
        return await remote.room_status(self.url)


@pytest.fixture
async def band(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Band]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lobby = Lobby("0123456789abcdef", unix_us=clock_service.unix_us)
    host = RoomHost(lobby, clock_service.now_us, host_clock.now_ns)
    runner = web.AppRunner(make_app(host))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        yield Band(runner, http)
    await runner.cleanup()


async def receive(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of a type; others are passed over."""
    async with asyncio.timeout(10):
        while True:
            message: dict[str, Any] = json.loads(await socket.receive_str())
            if message["type"] == kind:
                return message


async def test_who_has_not_joined_conducts_an_open_room(band: Band) -> None:
    await band.join("drums", keep=False)
    await remote.send_command(band.url, FASTER)
    assert (await band.status())["timelines"][-1]["mbpm"] == 132_500
    await band.mode("leader", "drums")
    with pytest.raises(Refused, match="drums leads this room: ask drums to hand over"):
        await remote.send_command(band.url, FASTER)


async def test_who_has_joined_acts_for_the_member(band: Band) -> None:
    await band.join("drums")
    await band.join("bass")
    await band.mode("leader", "bass")
    # The one who joined last, unless another is named.
    await remote.send_command(band.url, FASTER)
    with pytest.raises(Refused, match="bass leads"):
        await remote.send_command(band.url, FASTER, "drums")
    await band.mode("leader", "drums")
    await remote.send_command(band.url, FASTER, "drums")


async def test_a_token_of_one_who_left_is_passed_over(band: Band) -> None:
    await band.join("drums")
    bass = await band.join("bass")
    await bass.close()
    await until_gone(band, "bass")
    await band.mode("leader", "drums")
    await remote.send_command(band.url, FASTER)
    with pytest.raises(Unavailable, match="bass is not in"):
        await remote.send_command(band.url, FASTER, "bass")


async def test_a_shell_talks_and_an_older_client_hears_nothing_of_it(band: Band) -> None:
    older = await band.join("drums")
    talking = await band.http.ws_connect(str(band.url))
    hello = {"type": "hello", "version": 1, "name": "bass", "capabilities": ["chat"]}
    await talking.send_json(hello)
    assert "chat" in (await receive(talking, "welcome"))["capabilities"]
    assert [line["kind"] for line in (await receive(talking, "chat"))["lines"]] == ["came"]
    assert (await receive(talking, "chat_line"))["line"]["name"] == "bass"
    await remote.send_command(band.url, Say(id=1, text="hello"))
    line = (await receive(talking, "chat_line"))["line"]
    assert (line["kind"], line["name"], line["text"]) == ("said", "drums", "hello")
    assert abs(line["unix_ms"] - time.time() * 1000) < 60_000
    async with Remote(band.url, None, ("chat",)) as reading:
        async for message in reading.heard():
            assert isinstance(message, Chat)
            assert message.lines[-1].text == "hello"
            break
    await remote.send_command(band.url, Say(id=1, text="/tempo 99"))
    kinds: list[str] = []
    while not kinds or kinds[-1] != "bar_sync":
        kinds.append(json.loads(await older.receive_str())["type"])
    assert not [kind for kind in kinds if kind.startswith("chat")]
    await talking.close()


async def until_gone(band: Band, name: str) -> None:
    async with asyncio.timeout(10):
        while name in [m["name"] for m in (await band.status())["members"]]:
            pass


async def test_a_name_that_did_not_join_from_here_is_told(band: Band) -> None:
    await band.join("drums", keep=False)
    with pytest.raises(InvalidValue, match="nobody named 'drums' joined"):
        await remote.send_command(band.url, FASTER, "drums")


async def test_a_vote_is_held_from_shells(band: Band) -> None:
    drums = await band.join("drums")
    await band.join("bass")
    await band.mode("vote", by="drums")
    asked = asyncio.create_task(remote.send_command(band.url, FASTER, "drums"))
    vote = await receive(drums, "vote")
    text = remote.status_in_words(await band.status())
    assert "mode: vote" in text
    assert "drums wants 'tempo 132.5': 1 yes (drums), 0 no, 2 needed" in text
    assert "s left" in text
    await remote.cast_ballot(band.url, True, "bass")
    assert (await asked).id == 1
    result = await receive(drums, "vote_result")
    assert (result["vote"], result["passed"]) == (vote["vote"], True)
    assert (await band.status())["vote"] is None


async def test_a_vote_that_fails_is_told_with_its_counts(band: Band) -> None:
    drums = await band.join("drums")
    await band.join("bass")
    await band.mode("vote", by="drums")
    asked = asyncio.create_task(remote.send_command(band.url, FASTER, "drums"))
    await receive(drums, "vote")
    await remote.cast_ballot(band.url, False, "bass")
    with pytest.raises(Refused, match="1 yes, 1 no, 2 needed") as caught:
        await asked
    assert caught.value.code == "vote_failed"
    with pytest.raises(Refused) as none_left:
        await remote.cast_ballot(band.url, True, "bass")
    assert none_left.value.code == "no_such_vote"


async def test_who_has_not_joined_does_not_vote(band: Band) -> None:
    await band.join("drums", keep=False)
    await band.mode("vote")
    with pytest.raises(Refused, match="join the room, or run this where you joined it"):
        await remote.send_command(band.url, FASTER)


async def test_values_that_break_a_rule_are_told_before_anything_is_sent() -> None:
    nowhere = RoomUrl(False, "127.0.0.1", 1, "jam")
    with pytest.raises(InvalidMessage, match="count_in_bars"):
        await remote.send_command(nowhere, Start(id=1, count_in_bars=9))


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["start", "--count-in", "2"], Start(id=1, count_in_bars=2)),
        (["mode", "open"], SetMode(id=1, mode="open")),
        (["mode", "leader", "Jürgen & Søn"], SetMode(id=1, mode="leader", leader="Jürgen & Søn")),
        (["mode", "locked", "--as", "drums"], SetMode(id=1, mode="locked")),
    ],
)
def test_words_become_commands(words: list[str], command: object) -> None:
    options = _parser().parse_args(["room", "ws://127.0.0.1/jam", *words])
    assert _command(options) == command
    assert options.acting_as == ("drums" if "--as" in words else None)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mode": "open"}, "mode: open"),
        ({"mode": "leader", "leader": "drums"}, "mode: leader, drums leads"),
        ({"mode": "locked", "locked_by": "bass"}, "mode: locked by bass"),
    ],
)
def test_the_mode_is_shown(fields: dict[str, str], words: str) -> None:
    room: dict[str, object] = {
        "name": "jam",
        "position": {"bar": 1, "beat": 1},
        "loop": None,
        "playing": False,
        "bpm": 120.0,
        "meter": "4/4",
        "vote": None,
        "members": [],
        **fields,
    }
    assert words in remote.status_in_words(room)


async def test_status_shows_what_the_relay_dropped_of_whom(band: Band) -> None:
    drums = await band.join("drums")
    room = await band.status()
    assert "relay dropped" not in remote.status_in_words(room)
    counts = {"packets": 9, "wrong_address": 3, "too_fast": 40_000, "forged": 0}
    lines = remote.status_in_words(room | {"relay": {"drums": counts}}).splitlines()
    assert lines[-1] == "  the relay dropped of drums: 3 from another address, 40,000 too fast"
    await drums.close()


async def test_status_shows_who_hears_whom_how(band: Band) -> None:
    drums, bass = await band.join("drums"), await band.join("bass")
    hearing = {"member": "bass", "profile": "jam", "latency_ms": 23.4, "path": "direct"}
    report = {"type": "audio_report", "hears": [hearing | {"reason": "punched"}]}
    await drums.send_json(report | {"dropped": {"replayed": 1200}})
    told = await receive(bass, "heard_by")
    assert (told["name"], told["hearing"]["latency_ms"]) == ("drums", 23.4)
    room = await band.status()
    assert [h["member"] for h in room["hears"]["drums"]] == ["bass"]
    lines = remote.status_in_words(room).splitlines()
    [row] = [line for line in lines if line.startswith("  drums ") and "jam" in line]
    assert row.split()[:5] == ["drums", "bass", "jam", "23.4", "ms"]
    assert row.split()[-3:] == ["direct", "-", "punched"]
    assert "  drums dropped 1,200 replayed" in lines
    await drums.close()
    await until_gone(band, "drums")
    assert (await band.status())["hears"] == {}
