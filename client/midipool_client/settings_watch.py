"""Notices that the user's settings were changed, from another shell or by hand."""

import asyncio
import logging
from collections.abc import Callable

from midipool.errors import MidiPoolError
from midipool_client.settings import Settings

log = logging.getLogger(__name__)

LOOK_S = 0.5


async def watch_settings(settings: Settings, changed: Callable[[Settings], None]) -> None:
    """Call `changed` with the new settings each time the file changes, until cancelled."""
    seen = _stamp(settings)
    while True:
        await asyncio.sleep(LOOK_S)
        stamp = _stamp(settings)
        if stamp == seen:
            continue
        seen = stamp
        try:
            settings = Settings.load(settings.path)
        except MidiPoolError as error:
            log.warning("the settings stay as they were: %s", error)
            continue
        changed(settings)


def _stamp(settings: Settings) -> tuple[int, int] | None:
    try:
        stat = settings.path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino
