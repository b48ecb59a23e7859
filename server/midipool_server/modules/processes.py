"""Runs modules as the supervisor says: the edge, with processes and the time."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable

from midipool_server.host import RoomHost
from midipool_server.modules.specs import ModuleSpec
from midipool_server.modules.supervisor import Key, Order, Sight, Supervisor

log = logging.getLogger(__name__)

LOOK_S = 0.2
# Of what a module says so much is kept: its last line may say why it ended.
LAST_BYTES = 2_000


class ModulePark:
    """All modules of a server; `run` until cancelled, which stops them in order."""

    def __init__(
        self,
        host: RoomHost,
        specs: dict[str, ModuleSpec],
        url_of: Callable[[str], str],
        invitation_for: Callable[[str], str],
    ) -> None:
        self.supervisor = Supervisor(specs)
        self._host, self._specs = host, specs
        self._url_of, self._invitation_for = url_of, invitation_for
        self._processes: dict[Key, asyncio.subprocess.Process] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look after them."""
        try:
            while True:
                now_s = time.monotonic()
                if self._host.draining:
                    self._obey(self.supervisor.stop_all(now_s))
                else:
                    self._obey(self.supervisor.look(now_s, self._sights()))
                await asyncio.sleep(LOOK_S)
        finally:
            while self.supervisor.alive:
                self._obey(self.supervisor.stop_all(time.monotonic()))
                await asyncio.sleep(LOOK_S)

    def _sights(self) -> dict[str, Sight]:
        found = {}
        for name, room in self._host.lobby.rooms.items():
            here = [m for m in room.places.members() if m.connected]
            modules = frozenset(m.name for m in here if m.is_module)
            found[name] = Sight(len(modules) < len(here), modules)
        return found

    def _obey(self, orders: list[Order]) -> None:
        for do, key in orders:
            if do == "start":
                task = asyncio.create_task(self._live(key))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            elif (process := self._processes.get(key)) is not None:
                number = signal.SIGTERM if do == "end" else signal.SIGKILL
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)  # it leads a session of its own

    async def _live(self, key: Key) -> None:
        """One process, from its start to its end."""
        code, said = 1, bytearray()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._specs[key.name].command_for(self._url_of(key.room)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                env=self._environment(key),
            )
            self._processes[key] = process
            log.info("module %s of room %s: started", key.name, key.room)
            await self._listen(process, said)
            code = await process.wait()
        except OSError as error:
            said += f"it cannot be started: {error.strerror}".encode()
        finally:
            self._processes.pop(key, None)
            lines = [*filter(str.strip, said.decode(errors="replace").splitlines())]
            why = lines[-1][:200] if lines else ""
            self.supervisor.exited(time.monotonic(), key, code, why)
            self._log_end(key)

    async def _listen(self, process: asyncio.subprocess.Process, said: bytearray) -> None:
        assert process.stdout is not None
        while data := await process.stdout.read(1 << 16):
            said += data
            del said[:-LAST_BYTES]

    def _environment(self, key: Key) -> dict[str, str]:
        own = {"MIDIPOOL_MODULE_NAME": key.name, "PYTHONUNBUFFERED": "1"}
        if invitation := self._invitation_for(key.room):
            own["MIDIPOOL_INVITATION"] = invitation
        return {**os.environ, **own}

    def _log_end(self, key: Key) -> None:
        for shown in self.supervisor.describe(key.room):
            if shown["name"] == key.name:
                text = "module %s of room %s: %s; %s"
                log.warning(text, key.name, key.room, shown["why"], shown["state"])
                return
        log.info("module %s of room %s: stopped", key.name, key.room)
