"""Whether the server takes members: it listens on TCP and UDP, and does not go down."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

Probe = Callable[[], Awaitable[bool]]
"""Whether one of our ports answers."""
FRESH_S = 1.0
"""Asking more often than that costs nothing."""


class Readiness:
    """`listening` is set once the rooms' TCP port is open; UDP ports are asked."""

    def __init__(self, udp: Mapping[str, Probe] | None = None) -> None:
        self.listening = False
        self.draining = False
        self._udp = dict(udp or {})
        self._asked_s = -FRESH_S
        self._silent: list[str] = []
        self._asking = asyncio.Lock()

    async def lacks(self) -> list[str]:
        """What stands against taking members; nothing when the server is ready."""
        silent = await self._silent_ports()
        tcp = [] if self.listening else ["the rooms' TCP port is not open"]
        end = ["the server goes down"] if self.draining else []
        return [*end, *tcp, *silent]

    async def _silent_ports(self) -> list[str]:
        async with self._asking:
            if time.monotonic() - self._asked_s >= FRESH_S:
                answers = await asyncio.gather(*(probe() for probe in self._udp.values()))
                names = zip(self._udp, answers, strict=True)
                self._silent = [f"{name} does not answer" for name, it_does in names if not it_does]
                self._asked_s = time.monotonic()
        return self._silent
