"""Keeps the rooms of a running server in its folder: soon after each change, in a thread."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from midipool.errors import Refused
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.room import Room
from midipool_server.saving import history, room_state
from midipool_server.saving.folder import StateFolder

log = logging.getLogger(__name__)

# What members ask for in one breath is written once.
SAVE_S = 0.1
AGAIN_S = 5.0
FORGET_S = 3600.0
DOCUMENTS_FOR_A_ROOM = 2


@dataclass(slots=True)
class _Change:
    """A room as it is to be written; without a state it has ended."""

    room: str
    body: bytes = b""
    state: bytes | None = None
    document: bytes | None = None


class Saver:
    """What was changed within the last `SAVE_S` is lost when the server is killed."""

    def __init__(self, folder: StateFolder, lobby: Lobby, now_us: Callable[[], int]) -> None:
        self._folder = folder
        self._lobby = lobby
        self._now_us = now_us
        self._dirty: dict[str, Room | None] = {}
        """What changed, as it was before it ended."""
        self._wake = asyncio.Event()
        self._bodies: dict[str, bytes] = {}
        """As they are in the folder."""
        self._remembered_s: dict[str, int] = {}
        self._unremembered: dict[str, Room] = {}
        """Those that are others than their newest document says."""
        self._failing = False
        self._writing: asyncio.Task[list[_Change]] | None = None

    def bring_back(self, host: RoomHost) -> int:
        """Have the rooms that were kept; returns how many."""
        for state in self._folder.rooms():
            try:
                room = self._lobby.enter(state.name, remote=False)
            except Refused as error:
                log.warning("room %s does not come back: %s", state.name, error)
                continue
            room_state.bring_back(room, state, self._now_us())
            host.resume(room)
            self.changed(state.name)
        return len(self._lobby.rooms)

    def changed(self, room: str) -> None:
        """Something happened in a room."""
        self._dirty[room] = self._lobby.rooms.get(room) or self._dirty.get(room)
        self._wake.set()

    async def run(self) -> None:
        """Write, until cancelled; then all that is not written yet."""
        tidying = asyncio.create_task(self._keep_tidy())
        try:
            while True:
                await self._wake.wait()
                await asyncio.sleep(AGAIN_S if self._failing else SAVE_S)
                self._wake.clear()
                await self._save()
        finally:
            tidying.cancel()
            if self._writing is not None:  # two at once would write over each other
                await asyncio.wait([self._writing])
                self._again(self._writing.result())
            self._write(self._changes())

    async def _save(self) -> None:
        changes = self._changes()
        if not changes:
            return
        self._writing = asyncio.create_task(asyncio.to_thread(self._write, changes))
        # Cancelled meanwhile, it is written nevertheless.
        failed = await asyncio.shield(self._writing)
        self._writing = None
        self._again(failed)

    def _again(self, failed: "list[_Change]") -> None:
        for change in failed:
            self.changed(change.room)

    def _changes(self) -> "list[_Change]":
        """What is to be written; rooms are read here, and nothing waits."""
        dirty, self._dirty = self._dirty, {}
        changes = [self._change(name, was) for name, was in dirty.items()]
        return [change for change in changes if change is not None]

    def _change(self, name: str, was: Room | None) -> "_Change | None":
        now_us, now_s = self._now_us(), int(time.time())
        room = self._lobby.rooms.get(name)
        if room is None:
            ended = self._unremembered.pop(name, None) or was
            document = None if ended is None else ended.documents.document(now_us)
            return _Change(name, document=document)
        body = room_state.body_of(room, now_us)
        if body == self._bodies.get(name):
            return None
        change = _Change(name, body, room_state.state_of(room, body, now_us))
        last_s = self._remembered_s.get(name)
        if last_s is not None and now_s - last_s < history.LEAST_BETWEEN_S:
            self._unremembered[name] = room
            return change
        self._remembered_s[name] = now_s
        self._unremembered.pop(name, None)
        change.document = room.documents.document(now_us)
        return change

    def _write(self, changes: "list[_Change]") -> "list[_Change]":
        """Returns what could not be written."""
        failed = []
        for change in changes:
            try:
                self._write_one(change)
            except OSError as error:
                failed.append(change)
                if not self._failing:
                    log.error("rooms are not kept: %s; trying again", error)
                self._failing = True
        if self._failing and not failed:
            self._failing = False
            log.info("rooms are kept again")
        return failed

    def _write_one(self, change: "_Change") -> None:
        if change.document is not None:
            self._folder.remember(change.room, change.document, int(time.time()))
        if change.state is not None:
            self._folder.write(change.room, change.state)
            self._bodies[change.room] = change.body
            return
        self._folder.remove(change.room)
        self._bodies.pop(change.room, None)
        self._remembered_s.pop(change.room, None)

    async def _keep_tidy(self) -> None:
        while True:
            most = DOCUMENTS_FOR_A_ROOM * self._lobby.max_rooms
            try:
                await asyncio.to_thread(self._folder.forget_old, int(time.time()), most)
            except OSError as error:
                log.warning("old rooms are not forgotten: %s", error)
            await asyncio.sleep(FORGET_S)
