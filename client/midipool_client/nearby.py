"""Who is on this LAN, and whether the servers among them answer."""

import asyncio
import logging
from collections.abc import Callable

import aiohttp

from midipool.lan.finds import Finds, Found
from midipool_native.lan import browsing

log = logging.getLogger(__name__)

CHECK_S = 5.0
"""So often servers are asked whether they are still there."""
FIRST_CHECK_S = 0.3
ANSWER_S = 1.5
MOST_AT_ONCE = 16
MOST_BYTES = 64 * 1024
AGAIN_S = 3.0


class Nearby:
    """Looks as long as `run` does; `changed` is called when something is another."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._finds = Finds([])
        self._looking: asyncio.Task[None] | None = None
        self._ending: list[asyncio.Task[None]] = []
        self.problem = ""
        """Why nobody can be found, for people."""

    @property
    def found(self) -> list[Found]:
        """Servers first."""
        return self._finds.shown()

    def watch(self, wanted: bool) -> None:
        """Look, or do not look any more."""
        if wanted and self._looking is None:
            self._looking = asyncio.create_task(self.run())
        elif not wanted and self._looking is not None:
            self._ending = [task for task in self._ending if not task.done()] + [self._looking]
            self._looking.cancel()
            self._looking = None

    async def close(self) -> None:
        """Leave nothing running."""
        self.watch(False)
        ending, self._ending = self._ending, []
        await asyncio.gather(*ending, return_exceptions=True)

    async def run(self) -> None:
        """Until cancelled."""
        finds = self._finds
        try:
            while True:
                try:
                    async with browsing(self._changed) as finds:
                        self._finds = finds
                        self.problem = "" if self._finds.networks else "this machine has no network"
                        await self._keep_checking()
                except OSError as error:
                    self.problem = f"nobody can be found on this network: {error.strerror or error}"
                    self._changed()
                await asyncio.sleep(AGAIN_S)
        finally:
            if self._finds is finds:  # else somebody looks anew already
                self._finds, self.problem = Finds([]), ""

    async def check(self, only_new: bool = False) -> None:
        """Ask all servers that are known, some at a time."""
        limit = asyncio.Semaphore(MOST_AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        async with aiohttp.ClientSession(timeout=timeout) as http:

            async def ask(key: str, found: Found) -> None:
                async with limit:
                    self._finds.checked(key, await answering(http, found))

            servers = self._finds.servers()
            wanted = [(k, f) for k, f in servers.items() if not only_new or f.answers is None]
            await asyncio.gather(*(ask(key, found) for key, found in wanted))
        if wanted:
            self._changed()

    async def _keep_checking(self) -> None:
        rounds = 0
        while True:
            await asyncio.sleep(FIRST_CHECK_S)
            rounds += 1
            await self.check(only_new=rounds % round(CHECK_S / FIRST_CHECK_S) != 0)


async def answering(http: aiohttp.ClientSession, found: Found) -> str | None:
    """The first of a server's addresses at which a midiPool server answers."""
    scheme = "https" if found.said.tls else "http"
    for address in found.addresses:
        host = f"[{address}]" if ":" in address else address
        try:
            # Whether it is there is asked, and nothing is told: the certificate does not matter.
            async with http.get(
                f"{scheme}://{host}:{found.port}/healthz", ssl=False, allow_redirects=False
            ) as answer:
                if b'"status"' in await answer.content.read(MOST_BYTES):
                    return address
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            log.debug("%s does not answer: %s", address, error)
    return None
