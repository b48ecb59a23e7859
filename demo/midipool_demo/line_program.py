"""A program of ours beside JACK that tells what it finds in lines of JSON, until it is ended."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import IO, Any, Self

from midipool_demo.background import child_environment


class LineProgram:
    """Runs a module with JACK's `env`, and takes in what it says, on a thread; a context manager.

    `_take` is called with the lock held. What it needs is there before this is begun.
    """

    def __init__(self, env: Mapping[str, str], module: str, *words: str) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=child_environment(env),
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), daemon=True
        )
        self._reader.start()

    def _take(self, line: dict[str, Any]) -> None:
        raise NotImplementedError

    def _read(self, lines: IO[str]) -> None:
        for text in lines:
            line: dict[str, Any] = json.loads(text)
            with self._changed:
                self._take(line)
                self._changed.notify_all()

    @property
    def pid(self) -> int:
        """Process id, which is in the name of its JACK client."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
