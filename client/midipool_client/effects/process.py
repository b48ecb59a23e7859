"""Starts the effects engine, watches it, and starts it again when it dies."""

import asyncio
import importlib.util
import logging
from collections.abc import Callable

import msgspec

from midipool.errors import Unavailable
from midipool_client.effects.messages import (
    EffectsConfig,
    EffectsProblem,
    EffectsStatus,
    FromEffects,
    Work,
    decode_from_engine,
    encode,
)
from midipool_client.engine.child import EngineChild
from midipool_native.effects import EffectsMemory

log = logging.getLogger(__name__)

ADVICE = "effects need pedalboard: pip install 'midipool[effects]'"
RESTART_S, RESTART_AGAIN_S = 0.1, 1.0
# A plug-in may take its time to load.
PATIENCE_S = 20.0
STUCK_CODES, MISSING_CODE = (70, 1), 3


def check_libraries() -> None:
    """Raises Unavailable, which says what to install."""
    if any(importlib.util.find_spec(name) is None for name in ("pedalboard", "numpy")):
        raise Unavailable(ADVICE)


class EffectsProcess:
    """The effects engine as the client sees it.

    `on_news` is called when it has said something; `on_death` when it died by itself, with the id
    of the effect that it was at, or 0.
    """

    def __init__(
        self,
        memory: EffectsMemory,
        on_news: Callable[[], None],
        on_death: Callable[[int, str], None],
    ) -> None:
        self.status: EffectsStatus | None = None
        self.problem = ""
        self.restarts = 0
        self._memory = memory
        self._on_news, self._on_death = on_news, on_death
        self._child: EngineChild[FromEffects] = EngineChild(
            "effects engine",
            "midipool_client.effects",
            decode_from_engine,
            self._take,
            fds=(memory.fd,),
            start_s=PATIENCE_S,
        )
        self._running: asyncio.Task[None] | None = None
        self._config: EffectsConfig | None = None
        self._told: Work | None = None

    @property
    def memory_fd(self) -> int:
        """Of the memory that it shares with the audio engine."""
        return self._memory.fd

    @property
    def pid(self) -> int | None:
        """Of the engine that runs."""
        return self._child.pid if self._running is not None else None

    async def want(self, config: EffectsConfig, work: Work) -> None:
        """Have an engine that does this."""
        if config != self._config:
            await self.end()
        self._config = config
        if self._running is None:
            self._told = None
            self._running = asyncio.create_task(self._keep(config))
        if work != self._told and self.status is not None:
            self._told = work
            self._child.write(encode(work))

    async def end(self) -> None:
        """Have none."""
        running, self._running, self.status = self._running, None, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _keep(self, config: EffectsConfig) -> None:
        try:
            while True:
                for which in (0, 1):
                    self._memory.mark(which, 0)
                try:
                    await self._child.run_once(msgspec.json.encode(config).decode())
                except OSError as error:
                    self.problem = f"the effects engine cannot be started: {error.strerror}"
                    self._on_news()
                    await asyncio.sleep(RESTART_AGAIN_S)
                    continue
                lived, self.status, self._told = self.status is not None, None, None
                code = self._child.code
                if code == MISSING_CODE:
                    log.warning("%s: %s", ADVICE, self.problem)
                    self._on_news()
                    await asyncio.Event().wait()
                self.restarts += 1
                self._died(code)
                await asyncio.sleep(RESTART_S if lived else RESTART_AGAIN_S)
        finally:
            await self._child.end()

    def _died(self, code: int | None) -> None:
        at = self._memory.marked(0) or self._memory.marked(1)
        why = "it did not come back" if code in STUCK_CODES else f"it crashed ({code})"
        log.warning("the effects engine ended (%s): it is started anew", code)
        self._on_death(at, why)

    def _take(self, message: FromEffects) -> None:
        match message:
            case EffectsStatus():
                self.status, self.problem = message, ""
            case EffectsProblem():
                self.problem = message.text
                log.warning("effects: %s", message.text)
        self._on_news()
