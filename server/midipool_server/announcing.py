"""Tells the LAN that the server is there."""

import contextlib
import socket
from collections.abc import AsyncIterator

from midipool.lan.announcement import Announcement
from midipool_native.lan import announcing
from midipool_server.lobby import Lobby
from midipool_server.operations.readiness import Readiness
from midipool_server.settings import Settings


def announcement(settings: Settings, lobby: Lobby, machine: str) -> Announcement:
    """What it says now; rooms only where their host lists them for everybody."""
    return Announcement(
        kind="server",
        name=settings.announce_name or machine,
        tls=bool(settings.tls_cert),
        rooms=sorted(lobby.rooms) if settings.list_rooms else None,
        room=settings.announce_room,
    )


@contextlib.asynccontextmanager
async def announced(settings: Settings, lobby: Lobby, readiness: Readiness) -> AsyncIterator[None]:
    """As long as the context lasts, if it is wanted and anybody there can reach it.

    Who does not take new members any more says goodbye.
    """
    machine = socket.gethostname()
    async with contextlib.AsyncExitStack() as known:
        # Behind a proxy its own port is not for players.
        if settings.announce and not settings.behind_proxy:

            def what() -> Announcement | None:
                return None if readiness.draining else announcement(settings, lobby, machine)

            await known.enter_async_context(announcing(what, settings.port, settings.host))
        yield
