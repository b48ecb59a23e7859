"""Clients that talk in a room of a real server, which is killed and started again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from midipool.messages import AddSong, Error, LoadSong, Ok, Say
from midipool_client.commander import Asked
from midipool_client.engine.sinks import SinkChoice
from midipool_client.player import Player
from midipool_client.ports.output import PortOptions
from midipool_client.room_url import RoomUrl
from midipool_demo.stage import free_port
from midipool_native import host_clock
from midipool_server import clock_service
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.web import make_app
from tests.client.page.running import until


class Together:
    """A server, and players without ports and sound in one room."""

    def __init__(self) -> None:
        self.port = free_port()
        self._runner: web.AppRunner | None = None
        self._sessions: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        lobby = Lobby("0123456789abcdef", unix_us=clock_service.unix_us)
        host = RoomHost(lobby, clock_service.now_us, host_clock.now_ns)
        self._runner = web.AppRunner(make_app(host))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def join(self, name: str) -> Player:
        url = RoomUrl(False, "127.0.0.1", self.port, "jam")
        player = Player(url, name, [PortOptions(SinkChoice("rtmidi", name))])
        self._sessions.append(asyncio.create_task(player._session.run()))
        await until(lambda: player.chat.known and player.songs.known)
        return player

    async def close(self) -> None:
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        await self.stop()


@pytest.fixture
async def together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Together]:
    for kind in ("RUNTIME_DIR", "STATE_HOME", "CONFIG_HOME"):
        monkeypatch.setenv(f"XDG_{kind}", str(tmp_path / kind))
    made = Together()
    await made.start()
    yield made
    await made.close()


async def done(player: Player, request: Asked) -> None:
    """It was asked for and done."""
    answered: asyncio.Future[Ok | Error | None] = asyncio.get_running_loop().create_future()
    player.conduct(request, answered.set_result)
    async with asyncio.timeout(10):
        answer = await answered
    assert isinstance(answer, Ok), answer


def said(player: Player) -> list[tuple[str | None, str]]:
    return [(line.name, line.text) for line in player.chat.lines if line.kind == "said"]


async def test_chat_and_songs_outlive_the_server(together: Together) -> None:
    drums, bass = await together.join("drums"), await together.join("bass")
    await done(drums, Say(id=1, text="hello"))
    await done(bass, AddSong(id=1, name="Blue", bpm=56, notes="# Intro"))
    await done(drums, AddSong(id=1, name="Waltz", bpm=132.5))
    await done(bass, Say(id=1, text="/song waltz"))
    await until(lambda: drums.songs.book.loaded is not None)
    assert said(bass) == [("drums", "hello")]
    await together.stop()
    await together.start()
    keys = await together.join("keys")
    await until(lambda: said(keys) == [("drums", "hello")] and len(keys.songs.book.songs) == 2)
    assert keys.chat.lines[0].retold
    loaded = keys.songs.book.loaded_song()
    assert loaded is not None
    assert (loaded.name, keys.songs.book.loaded and keys.songs.book.loaded.by) == ("Waltz", "bass")
    await until(lambda: drums.connected and bass.connected)
    await done(keys, LoadSong(id=1, song=keys.songs.book.which("blue").id))
    for player in (drums, bass, keys):
        await until(lambda p=player: p.songs.book.loaded == keys.songs.book.loaded)  # type: ignore[misc]
        assert said(player) == [("drums", "hello")]
        assert player.songs.book.songs == keys.songs.book.songs
