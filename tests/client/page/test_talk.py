"""What a page hears and asks over its WebSocket."""

import asyncio
import json
import struct
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from midipool.audio.strips import OwnChannel
from midipool.errors import Unavailable
from midipool.messages import Error, HeardCounts, Hearing, Ok
from midipool_client.audio.engine_messages import Level, Levels
from midipool_client.live_settings import Playing
from midipool_client.page.host import PageHost
from midipool_client.page_settings import PageSettings
from midipool_client.recent_rooms import RecentRoom
from midipool_client.settings import Settings
from tests.client.page.running import DEVICE, NASTY, Running, running, until

Socket = aiohttp.ClientWebSocketResponse


class Page:
    """One page, and what it knows."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.state: dict[str, Any] = {}
        self.answers: dict[int | None, dict[str, Any]] = {}
        self.frames: list[bytes] = []
        self.types: list[str] = []
        self.before: dict[str, Any] = {}

    async def hear(self) -> None:
        async with asyncio.timeout(5):
            message = await self.socket.receive()
        if message.type == aiohttp.WSMsgType.BINARY:
            self.frames.append(message.data)
            return
        data = message.json()
        self.types.append(data["type"])
        match data["type"]:
            case "snapshot":
                self.state = data["state"]
            case "delta":
                self.state |= data["changed"]
            case "heard_so_far":
                self.before = data
            case _:
                self.answers[data.get("id")] = data

    async def ask(self, type: str, id: int = 1, **fields: Any) -> dict[str, Any]:
        await self.socket.send_json({"type": type, "id": id, **fields})
        while id not in self.answers:
            await self.hear()
        return self.answers.pop(id)

    @property
    def strip(self) -> dict[str, Any]:
        found: dict[str, Any] = self.state["mixer"]["strips"][0]
        return found


async def opened(served: Running) -> Page:
    page = Page(await served.http.ws_connect(f"{served.site}/socket"))
    await page.hear()
    assert page.types == ["snapshot"]
    return page


async def test_a_fader_moves_the_mix_at_once_and_is_kept(
    served: Running, client: Playing, tmp_path: Path
) -> None:
    page = await opened(served)
    assert page.strip["member"] == NASTY
    assert await page.ask("set_strip", member=NASTY, gain_db=-6.0) == {"type": "done", "id": 1}
    assert client.live.listening.mix.strip_of(NASTY).gain_db == -6.0
    while page.strip["strip"]["gain_db"] != -6.0:
        await page.hear()
    keeping = asyncio.create_task(client.live.run())
    path = tmp_path / "settings.json"
    await until(lambda: Settings.load(path).listening(DEVICE).mix.strip_of(NASTY).gain_db == -6.0)
    keeping.cancel()


async def test_own_channels_have_strips_of_their_own(served: Running, client: Playing) -> None:
    page = await opened(served)
    assert [c["pan"] for c in page.state["mixer"]["channels"]] == [-1.0, 1.0]
    await page.ask("set_channel", channel=2, gain_db=-6.0, mute=True, pan=0.5)
    own = client.live.listening.mix.channel(2)
    assert own == OwnChannel(gain_db=-6.0, mute=True, pan=0.5)
    while page.state["mixer"]["channels"][1]["strip"]["gain_db"] != -6.0:
        await page.hear()
    assert page.state["mixer"]["channels"][1]["pan"] == 0.5
    await page.ask("set_channel", channel=2, gain_db=0.0, mute=False, pan=None)
    assert client.live.listening.mix.channels == {}
    assert "channel" in (await page.ask("set_channel", channel=5, gain_db=0.0))["text"]


async def test_the_click_is_switched_while_playing(served: Running, client: Playing) -> None:
    page = await opened(served)
    assert page.state["mixer"]["clicks"] == [{"name": DEVICE, "on": False}]
    await page.ask("switch_click", on=True)
    assert client.player.ports.ports[0].output.options.click
    while not page.state["mixer"]["clicks"][0]["on"]:
        await page.hear()
    assert "must be 1 to 1" in (await page.ask("switch_click", on=True, port=2))["text"]


async def test_what_is_moved_last_is_kept_also_when_the_client_ends(
    client: Playing, tmp_path: Path
) -> None:
    host = PageHost()
    host.enter(client)
    async with running(host) as made:
        await made.enter()
        keeping = asyncio.create_task(client.live.run())
        page = await opened(made)
        await page.ask("set_mix", master_db=-9.0)
        await page.ask("set_page", meters="post", count_in_bars=2)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    kept = Settings.load(tmp_path / "settings.json")
    assert kept.listening(DEVICE).mix.master_db == -9.0
    assert kept.page == PageSettings(meters="post", count_in_bars=2)


async def test_a_room_is_remembered_once_we_are_in(client: Playing, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    keeping = asyncio.create_task(client.live.run())
    await asyncio.sleep(0)
    assert Settings.load(path).recent == []
    client.live.remember(RecentRoom("ws://h:1/jam", "me"))
    await until(lambda: Settings.load(path).recent == [RecentRoom("ws://h:1/jam", "me")])
    keeping.cancel()


async def test_a_mix_that_cannot_be_kept_sounds_all_the_same_and_says_so(
    served: Running, client: Playing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(Settings, "save", refuse)
    page = await opened(served)
    keeping = asyncio.create_task(client.live.run())
    await page.ask("set_mix", send_mute=True)
    assert client.live.listening.mix.send == 0.0
    while page.state["mixer"]["not_saved"] != "the disk is full":
        await page.hear()
    keeping.cancel()


async def fetched(served: Running, path: str, status: int = 200) -> str:
    async with served.http.get(f"{served.server.origin}{path}") as answer:
        assert answer.status == status
        return await answer.text()


async def test_a_page_that_is_loaded_again_gets_the_last_minutes_and_the_session_as_a_file(
    client: Playing,
) -> None:
    host = PageHost()
    host.enter(client)
    for second in (1.0, 2.0):
        counts = HeardCounts(packets=round(100 * second))
        host.history.take(second, "me", [Hearing(NASTY, "jam", latency_ms=9.5, counts=counts)])
    async with running(host) as served:
        await served.enter()
        page = await opened(served)
        await page.hear()
        assert page.before["at_s"] == [1.0, 2.0]
        assert page.before["heard"] == [[[NASTY, 9.5, 0.0, 0.0]]] * 2
        [pair] = json.loads(await fetched(served, "/stats?cell_s=1"))["pairs"]
        assert (pair["listener"], pair["member"], pair["total"]["packets"]) == ("me", NASTY, 100)
        assert (await fetched(served, "/stats?format=csv")).startswith("time,listener")
        assert "cell_s: must be" in await fetched(served, "/stats?cell_s=2", status=400)


async def test_two_pages_agree(served: Running) -> None:
    one, two = await opened(served), await opened(served)
    await one.ask("set_strip", member=NASTY, solo=True)
    while not two.strip["strip"]["solo"]:
        await two.hear()
    assert two.types.count("snapshot") == 1


async def test_meters_come_by_themselves_in_the_order_that_was_told(
    served: Running, client: Playing
) -> None:
    page = await opened(served)
    assert client.player.audio is not None
    inputs, voices = [Level(0.5, 0.25), Level(0.25, 0.125)], {NASTY: Level(1.0, 0.5)}
    client.player.audio.engine.levels = Levels(inputs, Level(), voices)
    while not page.frames or struct.unpack_from("<6f", page.frames[-1], 12)[0] == 0.0:
        await page.hear()
    assert page.state["mixer"]["meters"] == ["input", "master", "input 1", "input 2", NASTY]
    kind, count, order = struct.unpack_from("<BBH", page.frames[-1])
    assert (kind, count, order) == (1, 5, page.state["mixer"]["meters_of"])
    levels = struct.unpack_from("<10f", page.frames[-1], 12)
    assert levels == (0.5, 0.25, 0.0, 0.0, 0.5, 0.25, 0.25, 0.125, 1.0, 0.5)


async def test_the_engine_is_watched_only_while_a_page_looks(
    served: Running, client: Playing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.player.audio is not None
    asked: list[int] = []
    monkeypatch.setattr(client.player.audio.engine, "watch", asked.append)
    page = await opened(served)
    assert asked == [48]
    await page.socket.close()
    await until(lambda: asked == [48, 0])


async def test_a_command_is_answered_by_the_room(
    served: Running, client: Playing, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Ok | Error | None] = [
        Ok(1, 0, 1, 1),
        Error("not_leader", "bass leads this room"),
        None,
    ]
    monkeypatch.setattr(client.player, "conduct", lambda _, answer: answer(answers.pop(0)))
    page = await opened(served)
    assert (await page.ask("tempo", bpm=132.5))["type"] == "done"
    assert (await page.ask("tempo", bpm=132.5))["text"] == "bass leads this room"
    assert "the server is away" in (await page.ask("ballot", vote=1, yes=True))["text"]


async def test_what_is_wrong_is_refused_and_the_page_goes_on(served: Running) -> None:
    page = await opened(served)
    assert "bpm" in (await page.ask("tempo", id=7, bpm=5))["text"]
    assert "join" in (await page.ask("join", id=8, server="h", room="jam", name="me"))["text"]
    assert "stop midipool-client" in (await page.ask("leave", id=9))["text"]
    await page.socket.send_str("rubbish")
    while None not in page.answers:
        await page.hear()
    assert (await page.ask("set_mix", id=10, master_db=-3.0))["type"] == "done"


async def test_without_a_room_a_page_can_only_join(tmp_path: Path) -> None:
    host = PageHost(can_leave=True)
    async with running(host) as made:
        await made.enter()
        page = await opened(made)
        assert page.state["session"]["phase"] == "choosing"
        assert "join one" in (await page.ask("stop"))["text"]
        assert (await page.ask("join", server="h", room="jam", name="me"))["type"] == "done"
        assert (await host.wanted.get()).room == "jam"
        host.left("nobody is at h")
        while page.state["session"]["problem"] != "nobody is at h":
            await page.hear()
        await page.socket.close()
