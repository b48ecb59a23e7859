"""An engine as its client has it: a program that is started, told things, heard, and ended."""

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from midipool.errors import InvalidMessage
from midipool_client.engine.framing import Frames

log = logging.getLogger(__name__)

STUCK_BYTES = 1 << 22
STUCK_S = 3.0
# JACK alone may take some seconds where many of its clients begin at once.
START_S = 20.0
GOODBYE_S = 2.0
# How often it is looked whether one is silent: a timer for each message would cost more than it.
WATCH_S = 1.0
READ_BYTES = 1 << 16
# Who has closed its output is about to end: its own code says why.
GONE_S = 1.0

M = TypeVar("M")


class EngineChild(Generic[M]):
    """Runs `python -m MODULE CONFIG`; each message either way is behind its length (u32).

    `decode` raises InvalidMessage; `take` gets each message of the engine's. An engine that is
    silent, or does not read, is killed; one whose devices are not open yet (`is_open`) has more
    time. It inherits the file handles `fds`, under their numbers.
    """

    def __init__(
        self,
        what: str,
        module: str,
        decode: Callable[[bytes], M],
        take: Callable[[M], None],
        fds: Sequence[int] = (),
        is_open: Callable[[], bool] = lambda: False,
        stuck_s: float = STUCK_S,
        start_s: float = START_S,
    ) -> None:
        self._what = what
        self._module = module
        self._decode = decode
        self._take = take
        self._fds = tuple(fds)
        self._is_open = is_open
        self._stuck_s, self._start_s = stuck_s, start_s
        self._process: asyncio.subprocess.Process | None = None
        self._heard_s = 0.0

    @property
    def pid(self) -> int | None:
        """The newest one's process id."""
        return self._process.pid if self._process is not None else None

    @property
    def code(self) -> int | None:
        """The newest one's exit code, once it has ended."""
        return self._process.returncode if self._process is not None else None

    @property
    def was_killed(self) -> bool:
        """Whether the newest one did not end by itself: it crashed, or was silent."""
        return self.code is not None and self.code < 0

    def write(self, message: bytes) -> None:
        """Hand a message over, its length in front; nothing happens while no engine runs."""
        process = self._process
        if process is None or process.stdin is None:
            return
        if process.stdin.transport.get_write_buffer_size() > STUCK_BYTES:
            log.error("the %s does not read: it is started anew", self._what)
            process.kill()
            return
        process.stdin.write(message)

    async def run_once(self, config: str) -> None:
        """Start one, and listen to it until it has ended."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._module,
            config,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=self._fds,
            start_new_session=True,  # Ctrl-C is for the client, which ends the engine in order
        )
        assert self._process.stdout is not None
        listening = asyncio.create_task(self._listen(self._process.stdout))
        try:
            await self._watch(listening)
            await self._wait(GONE_S)
        except InvalidMessage as error:
            log.error("the %s is started anew: %s", self._what, error)
        except TimeoutError:
            log.error("the %s does not answer: it is started anew", self._what)
        finally:
            listening.cancel()
        await self._kill()

    async def _listen(self, source: asyncio.StreamReader) -> None:
        frames = Frames()
        while data := await source.read(READ_BYTES):
            self._heard_s = time.monotonic()
            for body in frames.take(data):
                self._take(self._decode(body))

    async def _watch(self, listening: "asyncio.Task[None]") -> None:
        """Until it has ended, or been silent for too long (TimeoutError)."""
        self._heard_s = time.monotonic()
        while not listening.done():
            patience_s = self._stuck_s if self._is_open() else self._start_s
            left_s = self._heard_s + patience_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            await asyncio.wait([listening], timeout=min(left_s, WATCH_S))
        listening.result()

    async def end(self) -> None:
        """Let the engine stop its devices; kill it only if it does not go."""
        process = self._process
        if process is None or process.returncode is not None or process.stdin is None:
            return
        process.stdin.close()
        await self._wait(GOODBYE_S)
        await self._kill()

    async def _wait(self, patience_s: float) -> None:
        """Until it has ended by itself, or somebody has to wait too long."""
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._process.wait()

    async def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        if self._process is not None:
            await self._process.wait()
