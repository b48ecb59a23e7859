"""How late the event loop wakes up: the first sign of a server that has too much to do."""

import asyncio

from midipool_server.operations.tally import Buckets

EVERY_S = 0.1


async def watch(lags_s: Buckets) -> None:
    """Measure until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + EVERY_S
        await asyncio.sleep(EVERY_S)
        lags_s.add(max(loop.time() - due_s, 0.0))
