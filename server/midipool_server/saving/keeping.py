"""A running server's rooms come back, and are kept from then on."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from midipool_server.host import RoomHost
from midipool_server.saving.folder import StateFolder
from midipool_server.saving.saver import Saver


@contextlib.asynccontextmanager
async def kept_rooms(
    state_dir: str, host: RoomHost, say: Callable[[str], None]
) -> AsyncIterator[None]:
    """In `state_dir`, or where systemd says; else nowhere. Raises Unavailable."""
    # systemd separates several by colons (systemd.exec, RuntimeDirectory=).
    folder = state_dir or os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if not folder:
        yield
        return
    with contextlib.closing(StateFolder(Path(folder))) as kept:
        saver = Saver(kept, host.lobby, host.now_us)
        back = saver.bring_back(host)
        say(f"rooms are kept in {folder}" + (f"; {back} came back" if back else ""))
        host.on_changed = saver.changed
        saving = asyncio.create_task(saver.run())
        try:
            yield
        finally:
            saving.cancel()
            await asyncio.gather(saving, return_exceptions=True)
