"""How a server ends: at once, or after its members were told and had time."""

import asyncio
import logging
import os
import signal
from collections.abc import Coroutine
from typing import Any

from midipool.errors import Unavailable
from midipool_server.host import RoomHost
from midipool_server.operations import systemd
from midipool_server.operations.readiness import Readiness

log = logging.getLogger(__name__)

REASON = "the server goes down"
LOOK_AGAIN_S = 0.1


class Ending:
    """SIGINT ends the server at once, SIGTERM by draining it, a second signal at once."""

    def __init__(self, host: RoomHost, readiness: Readiness, drain_s: float) -> None:
        self._host, self._readiness, self._drain_s = host, readiness, drain_s
        self._at_once = asyncio.Event()
        self._drain = asyncio.Event()

    def listen(self) -> None:
        """Take the signals from now on."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._at_once.set)
        loop.add_signal_handler(signal.SIGTERM, self.terminate)

    def watch_input(self) -> None:
        """End as by SIGTERM when standard input does; raises Unavailable."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            if not os.read(0, 4096):
                loop.remove_reader(0)
                self._drain.set()

        try:
            loop.add_reader(0, look)
        except OSError:
            raise Unavailable("--until-input-ends needs a pipe as its input") from None

    def terminate(self) -> None:
        """As SIGTERM does."""
        (self._at_once if self._drain.is_set() else self._drain).set()

    async def wait(self) -> None:
        """Until the server may end."""
        await _first(self._at_once.wait(), self._drain.wait())
        self._readiness.draining = True
        systemd.notify("STOPPING=1")
        if self._at_once.is_set() or not self._drain_s:
            return
        here = self._host.members_connected()
        log.info("draining: %d members, at most %g s", here, self._drain_s)
        self._host.drain(REASON, self._drain_s)
        try:
            async with asyncio.timeout(self._drain_s):
                await _first(self._at_once.wait(), self._until_empty())
        except TimeoutError:
            here = self._host.members_connected()
            log.info("drained for %g s: %d members are left", self._drain_s, here)

    async def _until_empty(self) -> None:
        while True:
            if not self._host.members_connected():
                return
            await asyncio.sleep(LOOK_AGAIN_S)


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
