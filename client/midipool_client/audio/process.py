"""Starts the audio engine, watches it, and starts it again when it dies."""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

import msgspec

from midipool_client.audio.engine_messages import (
    AudioConfig,
    AudioProblem,
    AudioReady,
    AudioStatus,
    FromAudioEngine,
    HeardFrames,
    Levels,
    Rare,
    ToAudioEngine,
    Watch,
    decode_from_engine,
    encode,
)
from midipool_client.engine.child import EngineChild

log = logging.getLogger(__name__)

RESTART_S = 0.1
RESTART_AGAIN_S = 1.0
# An engine that has never been ready is started so often, unless it says that it cannot be.
FIRST_STARTS = 3


class AudioProcess:
    """The audio engine as the client sees it; without one the clock goes on.

    `on_ready` is called when an engine's ports are there: it knows nothing yet. `on_rare` gets
    STUN messages and the relay's answers.
    """

    def __init__(
        self,
        config: AudioConfig,
        on_ready: Callable[[AudioReady], None],
        on_rare: Callable[[Rare], None],
    ) -> None:
        self.state: Literal["starting", "running", "unavailable"] = "starting"
        self.ready: AudioReady | None = None
        self.status: AudioStatus | None = None
        self.levels = Levels()
        """The newest, while somebody watches."""
        self.problem = ""
        self.restarts = 0
        self.last_counter = 0
        """The last that an engine told of using under the present key."""
        self._config = config
        self._device = config.device
        self._connections: list[tuple[str, str]] = []
        self._note = ""
        self._watch_ms = 0
        self.on_status: Callable[[], None] = lambda: None
        """Called when an engine has said how it does."""
        self.on_levels: Callable[[], None] = lambda: None
        """Called when there are new ones."""
        self.on_heard: Callable[[HeardFrames], None] = lambda heard: None
        """Called with what a module hears."""
        self._on_ready = on_ready
        self._on_rare = on_rare
        fds = () if config.effects_fd is None else (config.effects_fd,)
        self._child = EngineChild(
            "audio engine",
            "midipool_client.audio.engine",
            decode_from_engine,
            self._take,
            fds,
            is_open=lambda: self.ready is not None,
        )
        self._was_ready = False

    @property
    def pid(self) -> int | None:
        """The running engine's process id."""
        return self._child.pid

    def tell(self, message: ToAudioEngine) -> None:
        """Hand a message over; nothing happens while no engine is ready (it is told all then)."""
        if self.ready is not None:
            self._child.write(encode(message))

    def watch(self, every_ms: int) -> None:
        """Have the engine say levels so often, also one that is started anew; 0 is not any more."""
        self._watch_ms = every_ms
        self.levels = Levels()
        self.tell(Watch(every_ms))

    @property
    def connections(self) -> list[tuple[str, str]]:
        """What people connected of a device's ports, (our port, other port)."""
        return self._connections

    def connect_again(self, connections: list[tuple[str, str]]) -> None:
        """Have the next engine make these connections as soon as it can."""
        self._connections = connections

    def config(self) -> AudioConfig:
        """For the next engine: what was chosen, and connected, stays."""
        return msgspec.structs.replace(
            self._config,
            again=self._was_ready,
            connections=self._connections,
            device=self._device,
        )

    async def run(self) -> None:
        """Keep an engine running as long as this machine has what it needs."""
        try:
            while True:
                await self._child.run_once(msgspec.json.encode(self.config()).decode())
                lived, self.ready, self.status = self.ready is not None, None, None
                if not self._was_ready and self._cannot_be():
                    self.state = "unavailable"
                    log.warning("no audio: %s", self.problem or "the audio engine could not start")
                    await asyncio.Event().wait()
                self.state = "starting"
                self.restarts += 1
                log.warning("the audio engine ended: it is started anew")
                await asyncio.sleep(RESTART_S if lived else RESTART_AGAIN_S)
        finally:
            await self._child.end()

    def _cannot_be(self) -> bool:
        return not self._child.was_killed or self.restarts + 1 >= FIRST_STARTS

    def _say(self, note: str) -> None:
        if note != self._note:
            self._note = note
            log.info("audio: %s", note)

    def _take(self, message: FromAudioEngine) -> None:
        match message:
            case AudioReady():
                self.state, self.ready, self.problem = "running", message, ""
                self._was_ready = True
                self._device = message.device
                log.info("audio: %s", message.text)
                self._on_ready(message)
                if self._watch_ms:
                    self.watch(self._watch_ms)
            case AudioStatus():
                self._say(message.note)
                self.status = message
                self._follow_period(message.period)
                self._connections = message.connections
                self.last_counter = max(self.last_counter, message.counter)
                self.on_status()
            case Levels():
                self.levels = message
                self.on_levels()
            case Rare():
                self._on_rare(message)
            case HeardFrames():
                self.on_heard(message)
            case AudioProblem():
                self.problem = message.text
                if self._was_ready:
                    log.warning("audio: %s", message.text)

    def _follow_period(self, period: int) -> None:
        """A JACK server may change it while all run."""
        if self.ready is not None and period and period != self.ready.period:
            log.info("audio: the period is %d frames now", period)
            self.ready = msgspec.structs.replace(self.ready, period=period)
