"""A program of a test's own, which does not outlive the test."""

import subprocess
from types import TracebackType
from typing import Self


class OwnedProcess:
    """A context manager: at its end `_process` is ended, and its pipes are closed."""

    _process: subprocess.Popen[str]

    def _wait_ready(self, otherwise: str) -> None:
        """Until it says that it is; if it does not, it is ended: RuntimeError(otherwise)."""
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            self._end()
            raise RuntimeError(otherwise)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _let_end(self, within_s: float = 5.0) -> None:
        """It ends by itself when its input does; else it is killed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
