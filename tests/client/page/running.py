"""A page server of a client that is not run: what a page gets and does, without JACK or a room."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from midipool.messages import MemberInfo
from midipool_client.audio.options import AudioOptions
from midipool_client.engine.sinks import SinkChoice
from midipool_client.live_settings import LiveSettings, Playing
from midipool_client.page.host import PageHost
from midipool_client.page.server import PageServer
from midipool_client.player import Player
from midipool_client.ports.output import PortOptions
from midipool_client.room_url import parse_room_url
from midipool_client.settings import Settings

DEVICE = "midiPool"
NASTY = '<img src=x onerror="alert(1)">'


async def until(done: Callable[[], bool]) -> None:
    """Wait on a condition, with a deadline."""
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.01)


def playing(settings: Path) -> Playing:
    """A client in a room with one other member, of a nasty name."""
    ports = [PortOptions(SinkChoice("rtmidi", DEVICE))]
    url = parse_room_url("ws://127.0.0.1:1/jam")
    player = Player(url, "me", ports, audio=AudioOptions())
    player.follower.token = "ab"
    player.follower.members = [MemberInfo("me"), MemberInfo(NASTY)]
    return Playing(player, LiveSettings(Settings.load(settings), DEVICE, player))


@dataclass
class Running:
    """A page server, and a browser for it."""

    server: PageServer
    host: PageHost
    http: aiohttp.ClientSession
    opened: list[str] = field(default_factory=list)

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def enter(self) -> None:
        async with self.http.get(self.server.address) as answer:
            assert answer.status == 200, await answer.text()


@asynccontextmanager
async def running(host: PageHost) -> AsyncIterator[Running]:
    opened: list[str] = []
    server = PageServer(host, 0, lambda: opened.append(server.address))
    jar = aiohttp.CookieJar(unsafe=True)
    async with server, aiohttp.ClientSession(cookie_jar=jar) as http:
        yield Running(server, host, http, opened)


@asynccontextmanager
async def served_by(host: PageHost) -> AsyncIterator[Running]:
    """As `running`, with what the host does by itself."""
    async with running(host) as made:
        looking = asyncio.create_task(host.run())
        yield made
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
