"""Runs modules as their rooms say: the edge, with processes."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from midipool_server.host import RoomHost
from midipool_server.modules import guard
from midipool_server.modules.listing import Task
from midipool_server.operations import logs
from midipool_server.room import Room

log = logging.getLogger(__name__)

# Of what a module says so much is kept: its last line may say why it ended.
LAST_BYTES = 2_000
GUARD = (sys.executable, "-I", "-S", str(Path(guard.__file__).resolve()))
ENDING_S = 60.0


class Key(NamedTuple):
    """A module of a room."""

    room: str
    name: str


class ModulePark:
    """All processes of a server's modules. Told of each room behind whatever happens in it."""

    def __init__(
        self,
        host: RoomHost,
        url_of: Callable[[str], str],
        most: int,
        environment: Mapping[str, str],
    ) -> None:
        self._host, self._url_of, self._most = host, url_of, most
        self._environment = environment
        self._processes: dict[Key, asyncio.subprocess.Process | None] = {}
        """None while one is being started."""
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    def follow(self, room: Room) -> None:
        """Do what a room wants done."""
        for task in room.modules.take_tasks():
            self._do(Key(room.name, task.name), task)

    async def end(self) -> None:
        """End all of them, each room's in order."""
        for room in list(self._host.lobby.rooms.values()):
            self._host.send(room, room.modules.end(self._host.now_us()))
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=ENDING_S)

    # ---- inside ----

    def _do(self, key: Key, task: Task) -> None:
        if task.do == "start":
            with logs.only_about(room=key.room):  # not about whoever's task this is
                self._tasks[key] = asyncio.create_task(self._live(key, task))
            return
        process = self._processes.get(key)
        number = signal.SIGTERM if task.do == "end" else signal.SIGKILL
        with contextlib.suppress(ProcessLookupError):
            if process is not None:
                os.killpg(process.pid, number)  # it leads a session of its own

    async def _live(self, key: Key, task: Task) -> None:
        """One process, from its start to its end."""
        code, said = 1, bytearray()
        try:
            if len(self._processes) >= self._most:
                said += f"the server runs {self._most} modules already (max_modules)".encode()
                return
            self._processes[key] = None
            process = await self._started(key, task)
            self._processes[key] = process
            self._host.tally.modules_started += 1
            log.info("module %s of room %s: started", key.name, key.room)
            await _listen(process, said)
            code = await process.wait()
        except OSError as error:
            said += f"it cannot be started: {error.strerror}".encode()
        finally:
            self._processes.pop(key, None)
            self._tasks.pop(key, None)
            self._ended(key, code, _last_line(said))

    async def _started(self, key: Key, task: Task) -> asyncio.subprocess.Process:
        assert task.spec is not None
        command = task.spec.command_for(self._url_of(key.room), key.room, task.options)
        own = {"MIDIPOOL_MODULE_NAME": key.name, "PYTHONUNBUFFERED": "1"}
        if task.invitation:
            own["MIDIPOOL_INVITATION"] = task.invitation
        return await asyncio.create_subprocess_exec(
            *GUARD,
            str(os.getpid()),
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **self._environment, **own},
        )

    def _ended(self, key: Key, code: int, why: str) -> None:
        room = self._host.lobby.rooms.get(key.room)
        if room is None:
            return
        self._host.send(room, room.modules.exited(self._host.now_us(), key.name, code, why))
        shown = {m.name: m for m in room.modules.shown(self._host.now_us())}.get(key.name)
        if shown is None or shown.state not in ("restarting", "failed"):
            log.info("module %s of room %s: ended", key.name, key.room)
        else:
            self._host.tally.modules_failed += 1
            text = "module %s of room %s: %s; %s"
            log.warning(text, key.name, key.room, shown.why, shown.state)


async def _listen(process: asyncio.subprocess.Process, said: bytearray) -> None:
    assert process.stdout is not None
    while data := await process.stdout.read(1 << 16):
        said += data
        del said[:-LAST_BYTES]


def _last_line(said: bytearray) -> str:
    """What can be shown of it to anybody."""
    lines = [*filter(str.strip, said.decode(errors="replace").splitlines())]
    return "".join(c for c in lines[-1][:200] if c.isprintable()) if lines else ""
