"""Runs the page's server beside a player."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from midipool_client.live_settings import Playing

if TYPE_CHECKING:
    from midipool_client.page.host import PageHost

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def page_beside(playing: Playing, port: int | None) -> AsyncIterator[None]:
    """A page for one player, and its address in the log; none without a port.

    Raises Unavailable when the port cannot be had.
    """
    if port is None:
        yield
        return
    from midipool_client.page.host import PageHost

    host = PageHost()
    host.enter(playing)
    async with page_of(host, port):
        yield


@contextlib.asynccontextmanager
async def page_of(host: "PageHost", port: int) -> AsyncIterator[str]:
    """A page that is served as long as the context lasts; its first address."""
    from midipool_client.page.server import PageServer

    server = PageServer(host, port, lambda: log.info("page, once more: %s", server.address))
    async with server:
        log.info("page: %s", server.address)
        looking = asyncio.create_task(host.run())
        try:
            yield server.address
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
