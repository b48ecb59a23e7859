"""A member without ports: it hears all that the room says, conducts it, and plays notes.

It is in a thread of its own, and comes back by itself when the server does.
"""

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from midipool import messages
from midipool.errors import MidiPoolError, Unavailable
from midipool.messages import (
    BarSync,
    Error,
    GraphNews,
    Midi,
    Ok,
    RoomGraph,
    SongGone,
    SongLoaded,
    SongPut,
    Songs,
    Welcome,
    timed_midi,
)
from midipool_client.known_graph import KnownGraph
from midipool_client.known_songs import KnownSongs
from midipool_client.room_url import parse_room_url
from midipool_client.server_link import ServerLink
from tests.soak.truth import GraphTruth, SongTruth

AGAIN_S = 0.2
NOTE_EVERY_S, NOTE_LASTS_S = 1.0, 0.15
FIRST_KEY, KEYS = 24, 96
ANSWER_S = 10.0


def now_us() -> int:
    """Room time: all are on one machine."""
    return time.monotonic_ns() // 1000


class Observer:
    """A context manager; `song` and `graph` are what it was told."""

    def __init__(self, url: str, name: str, on_note: Callable[[int, int], None]) -> None:
        self.song, self.graph = SongTruth(), GraphTruth()
        self.songs = KnownSongs()
        self.connected = False
        self.errors: list[str] = []
        """What the room refused that nobody asked for, and what else should not be."""
        self._url, self._name, self._on_note = url, name, on_note
        self._token = ""
        self._known = KnownGraph()
        self._link: ServerLink | None = None
        self._ids = itertools.count(1)
        self._waiting: dict[int, Future[Ok | Error]] = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    def __enter__(self) -> "Observer":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def ask(self, kind: type[Any], **fields: Any) -> Ok | Error:
        """Ask the room for something; raises Unavailable while it is away."""
        id, answer = next(self._ids), Future[Ok | Error]()
        self._waiting[id] = answer
        message = kind(id=id, **fields)
        asyncio.run_coroutine_threadsafe(self._send(message), self._loop)
        try:
            return answer.result(ANSWER_S)
        except TimeoutError:
            raise Unavailable(f"no answer to {kind.__name__} within {ANSWER_S:g} s") from None
        finally:
            self._waiting.pop(id, None)

    def song_names(self) -> list[str]:
        """Of the room's song list."""
        return [song.name for song in self.songs.book.songs]

    # ---- inside ----

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(self._stay())
        self._ready.set()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _stay(self) -> None:
        while True:
            try:
                await self._be_there()
            except MidiPoolError:
                pass  # the server is away
            except Exception as error:  # what a soak must not end with
                self.errors.append(repr(error))
            self.connected, self._link = False, None
            await asyncio.sleep(AGAIN_S)

    async def _be_there(self) -> None:
        parts = messages.CAPABILITIES
        hello = messages.hello(self._name, token=self._token, capabilities=parts)
        async with ServerLink(parse_room_url(self._url), hello) as link:
            welcome = await link.hello()
            self._welcomed(welcome)
            self._link, self.connected = link, True
            playing = asyncio.create_task(self._play(link))
            try:
                async for message in link.incoming():
                    self._hear(message)
            finally:
                playing.cancel()

    def _welcomed(self, welcome: Welcome) -> None:
        self._token = welcome.token
        self._known.welcomed(welcome)
        for timeline in welcome.timelines:
            self.song.learn(timeline, now_us())

    async def _send(self, message: messages.Message) -> None:
        if self._link is not None:
            await self._link.send(message)

    def _hear(self, message: messages.ServerMessage) -> None:
        match message:
            case BarSync():
                self.song.learn(message.timeline, now_us())
            case RoomGraph() | GraphNews():
                self._known.told(message)
                self.graph.learn(self._known.graph, now_us())
            case Songs() | SongPut() | SongGone() | SongLoaded():
                self.songs.told(message)
            case Ok(id=id) | Error(id=int() as id) if id in self._waiting:
                self._waiting.pop(id).set_result(message)
            case Error():
                self.errors.append(f"{message.code}: {message.message}")

    async def _play(self, link: ServerLink) -> None:
        for number in itertools.count():
            key = FIRST_KEY + number % KEYS
            at_us = now_us()
            self._on_note(at_us, key)
            await link.send(Midi([timed_midi(at_us, bytes((0x90, key, 80)))]))
            await asyncio.sleep(NOTE_LASTS_S)
            await link.send(Midi([timed_midi(now_us(), bytes((0x80, key, 0)))]))
            await asyncio.sleep(NOTE_EVERY_S - NOTE_LASTS_S)
