"""Runs what a page and a shell reach beside a player: the page's server, and the control socket."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from midipool.errors import Unavailable
from midipool_client.control import serve_or_warn
from midipool_client.live_settings import Playing

if TYPE_CHECKING:
    from midipool_client.page.host import PageHost

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def page_beside(playing: Playing, port: int | None, device: str) -> AsyncIterator[None]:
    """A page for one player, and its address in the log; without a port for shells alone.

    Raises Unavailable when the port cannot be had.
    """
    from midipool_client.page.host import PageHost

    host = PageHost()
    host.enter(playing)
    async with page_of(host, port, device):
        yield


@contextlib.asynccontextmanager
async def page_of(host: "PageHost", port: int | None, device: str) -> AsyncIterator[str]:
    """A page that is served as long as the context lasts; its first address, if it has a port.

    Shells reach it by the device's name.
    """
    from midipool_client.page.shell import Shell

    shell = Shell(host)
    async with contextlib.AsyncExitStack() as served:
        address = ""
        if port is not None:
            address, shell.api = await served.enter_async_context(_server(host, port, device))
        tasks = [
            asyncio.create_task(host.run()),
            asyncio.create_task(serve_or_warn(device, shell.obey)),
        ]
        try:
            yield address
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def _server(
    host: "PageHost", port: int, device: str
) -> AsyncIterator[tuple[str, dict[str, str] | None]]:
    """The page's first address, and how programs get in."""
    from midipool_client.page.access import header_file
    from midipool_client.page.server import PageServer

    server = PageServer(host, port, lambda: log.info("page, once more: %s", server.address))
    async with server:
        log.info("page: %s", server.address)
        with contextlib.ExitStack() as files:
            api = None
            try:
                path = files.enter_context(header_file(device, server.secret))
                api = {"address": server.origin, "header_file": str(path)}
            except Unavailable as error:
                log.warning("%s", error)
            yield server.address, api
