"""A running server keeps its rooms, and one that is started anew has them."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from midipool_server.saving.folder import StateFolder
from midipool_server.saving.keeping import kept_rooms

from ..test_web import Server, receive

LONG_S = 5.0


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG_S):
        while not is_so():  # noqa: ASYNC110 (files tell nobody that they are there)
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Server]:
    made = Server()
    async with kept_rooms(str(folder), made.host, lambda line: None):
        await made.start()
        try:
            yield made
        finally:
            await made.stop()


def kept(folder: Path) -> dict[str, Any]:
    try:
        text = (folder / "rooms" / "room-jam.json").read_text()
    except FileNotFoundError:
        return {}
    return json.loads(text)["body"]["features"]  # type: ignore[no-any-return]


def tempo(folder: Path) -> int:
    conducting = kept(folder).get("conducting")
    return 0 if conducting is None else int(conducting["timelines"][-1]["mbpm"])


async def test_rooms_come_back_with_the_server(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        anna = await server.join("anna")
        await anna.send_json({"type": "tempo", "id": 1, "bpm": 99})
        await until(lambda: tempo(tmp_path) == 99_000)
        await anna.send_json({"type": "tempo", "id": 2, "bpm": 98})
        await receive(anna, "ok")
        await receive(anna, "ok")
    # The last change may not have been written when the server was told to end.
    assert tempo(tmp_path) == 98_000
    async with running(tmp_path) as server:
        _, room = await server.get("/api/rooms/jam")
        assert room["timelines"][-1]["mbpm"] == 98_000
        assert [(m["name"], m["connected"]) for m in room["members"]] == [("anna", False)]
        # Whoever has this name now takes the place again, as after a broken connection.
        await server.join("anna")
        _, room = await server.get("/api/rooms/jam")
        assert [(m["name"], m["connected"]) for m in room["members"]] == [("anna", True)]


async def test_a_room_that_ends_is_in_its_history_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        anna = await server.join("anna")
        await anna.send_json({"type": "tempo", "id": 1, "bpm": 99})
        room = server.host.lobby.rooms["jam"]
        await until(lambda: room.chain.at(server.host.now_us()).mbpm == 99_000)
        await anna.close()
        await until(lambda: kept(tmp_path) == {})
        documents = sorted((tmp_path / "history" / "room-jam").iterdir())
        assert json.loads(documents[-1].read_text())["timeline"]["tempo"] == 99.0
    async with running(tmp_path) as server:
        assert server.host.lobby.rooms == {}


async def test_a_server_that_ends_while_it_writes_waits_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_go_on, written = threading.Event(), threading.Event(), threading.Event()
    write = StateFolder.write

    def slow(self: StateFolder, room: str, data: bytes) -> None:
        began.set()
        may_go_on.wait(LONG_S)
        write(self, room, data)
        written.set()

    monkeypatch.setattr(StateFolder, "write", slow)
    async with running(tmp_path) as server:
        anna = await server.join("anna")
        await until(began.is_set)
        await anna.close()
        await until(lambda: server.host.lobby.rooms == {})
        asyncio.get_running_loop().call_later(0.2, may_go_on.set)
    await until(written.is_set)
    assert kept(tmp_path) == {}, "a room that had ended was written behind its end"


async def test_what_cannot_be_written_is_written_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("midipool_server.saving.saver.AGAIN_S", 0.05)
    async with running(tmp_path) as server:
        anna = await server.join("anna")
        await until(lambda: kept(tmp_path) != {})
        rooms = tmp_path / "rooms"
        rooms.rename(tmp_path / "away")
        await anna.send_json({"type": "tempo", "id": 1, "bpm": 99})
        await until(lambda: "rooms are not kept" in caplog.text)
        (tmp_path / "away").rename(rooms)
        await until(lambda: tempo(tmp_path) == 99_000)
        assert caplog.text.count("rooms are not kept") == 1


async def test_what_only_passes_writes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        anna = await server.join("anna")
        await anna.send_json({"type": "start", "id": 1})
        await until(lambda: kept(tmp_path).get("conducting", {}).get("revision") == 1)
        path = tmp_path / "rooms" / "room-jam.json"
        before = path.stat().st_ino
        for _ in range(3):
            await receive(anna, "bar_sync")
            await anna.send_json({"type": "clock_probe", "t1_ns": 1})
            await receive(anna, "clock_reply")
        await asyncio.sleep(0.25)
        assert path.stat().st_ino == before
