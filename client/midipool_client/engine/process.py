"""Starts the MIDI engine, watches it, and starts it again when it dies."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Literal

import msgspec

from midipool.errors import Unavailable
from midipool_client.engine.child import EngineChild
from midipool_client.engine.messages import (
    EngineConfig,
    EngineStatus,
    FromEngine,
    Heard,
    PortConfig,
    Problem,
    Ready,
    Spool,
    decode_from_engine,
    encode,
)
from midipool_client.engine.sinks import SinkChoice

log = logging.getLogger(__name__)

RESTART_S = 0.1
RESTART_AGAIN_S = 1.0
# Engines that have never had a port are started so often, unless one says that it finds none.
FIRST_STARTS = 3
STATUSES_A_SECOND = 4
MOST_LATE_US = 1e7


class EngineProcess:
    """The engine and its ports as the client sees them.

    `on_ready` is called for each port that is there (again), `on_heard` with what it hears.
    """

    def __init__(
        self,
        choices: list[SinkChoice],
        on_ready: Callable[[Ready], None],
        on_heard: Callable[[Heard], None] = lambda heard: None,
    ) -> None:
        self.state: Literal["running", "starting"] = "starting"
        self.status: EngineStatus | None = None
        self.ready: dict[int, Ready] = {}
        self.restarts = 0
        self._choices = choices
        self._on_ready = on_ready
        self._on_heard = on_heard
        self._child = EngineChild(
            "MIDI engine",
            "midipool_client.engine",
            decode_from_engine,
            self._take,
            is_open=lambda: bool(self.ready),
        )
        self._connections: list[list[tuple[int, str]]] = [[] for _ in choices]
        self._ticks_before = 0
        self._lateness_us: deque[float] = deque(maxlen=STATUSES_A_SECOND)

    @property
    def ticks(self) -> int:
        """Clock bytes put on all ports by this engine and those before it."""
        now = sum(port.ticks for port in self.status.ports) if self.status else 0
        return self._ticks_before + now

    @property
    def late_ticks(self) -> int:
        """Events of the clock that came later than their port allows."""
        return sum(port.late for port in self.status.ports) if self.status else 0

    @property
    def tick_jitter_us(self) -> float:
        """The most that one came later than it was due, of about the last second."""
        return round(min(max(self._lateness_us, default=0.0), MOST_LATE_US), 1)

    @property
    def pid(self) -> int | None:
        """The running engine's process id."""
        return self._child.pid

    def submit(self, spool: Spool | None) -> None:
        """Hand a batch over; nothing happens while its port is not ready (it is told all then)."""
        if spool is not None and spool.port in self.ready:
            self._child.write(encode(spool))

    async def run(self) -> None:
        """Keep an engine running; raises Unavailable if the first one finds no ports."""
        ever = False
        try:
            while True:
                await self._run_once(again=ever)
                lived = bool(self.ready)
                ever = ever or lived
                if not ever and self._cannot_be():
                    raise Unavailable(self._complaint or "the MIDI engine could not start")
                self.state, self.ready = "starting", {}
                self.restarts += 1
                log.warning("the MIDI engine ended: it is started anew")
                await asyncio.sleep(RESTART_S if lived else RESTART_AGAIN_S)
        finally:
            await self._child.end()

    def _cannot_be(self) -> bool:
        return not self._child.was_killed or self.restarts + 1 >= FIRST_STARTS

    async def _run_once(self, again: bool) -> None:
        self._complaint = ""
        ports = map(PortConfig, self._choices, self._connections)
        config = EngineConfig(list(ports), again)
        await self._child.run_once(msgspec.json.encode(config).decode())
        self._ticks_before = self.ticks
        self.status = None

    def _take(self, message: FromEngine) -> None:
        match message:
            case Ready():
                self.state, self.ready[message.port] = "running", message
                log.info("MIDI: %s", message.text)
                if not message.realtime:
                    log.info("MIDI engine: no real-time priority here; `ulimit -r` says why")
                self._on_ready(message)
            case EngineStatus():
                self.status = message
                self._lateness_us.append(max((p.max_late_us for p in message.ports), default=0.0))
                self._connections = [port.connections for port in message.ports]
                gone = [i for i, port in enumerate(message.ports) if not port.open]
                for index in gone:
                    self.ready.pop(index, None)
            case Heard():
                self._on_heard(message)
            case Problem():
                self._complaint = message.text
                if self.state == "running" or self.restarts or len(self._choices) > 1:
                    log.warning("MIDI: %s", message.text)
