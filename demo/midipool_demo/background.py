"""Programs that run in the background and surely end."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

STOP_S = 3.0
LOOK_AGAIN_S = 0.02


# Where this package and the project's tests are, for programs that we start.
SOURCES = [str(Path(__file__).resolve().parents[n]) for n in (1, 2)]


def child_environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment with `env` on top, in which these modules are found.

    What is tried out is nothing that the LAN need know of.
    """
    path = os.pathsep.join([*SOURCES, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"MIDIPOOL_ANNOUNCE": "false", **os.environ, "PYTHONPATH": path, **(env or {})}


def end_in_order_when_terminated() -> None:
    """Let SIGTERM end this program as Ctrl-C does, so that it ends what it started."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


class Background:
    """A process in a session of its own, with its output kept; ended by leaving the context.

    It has the files `keep` open as well.
    """

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        keep: Sequence[int] = (),
    ) -> None:
        self.command = list(command)
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=child_environment(env),
            pass_fds=keep,
            start_new_session=True,
        )

    @staticmethod
    def python(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> "Background":
        """Run one of our modules with this interpreter."""
        return Background([sys.executable, "-m", module, *arguments], env)

    def output(self) -> str:
        """What it printed so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def wait_for_output(self, text: str, timeout_s: float = 10.0) -> str:
        """Wait until it has printed `text`; raises RuntimeError when it ends or time is up."""
        give_up = time.monotonic() + timeout_s
        while text not in (output := self.output()):
            if not self.alive or time.monotonic() > give_up:
                state = "still runs" if self.alive else f"ended ({self.process.returncode})"
                raise RuntimeError(f"{self.command}: no {text!r}; it {state}\n{self.output()}")
            time.sleep(LOOK_AGAIN_S)
        return output

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it in order, or by force after a while; returns its exit code."""
        if self.alive:
            self.send(number)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return self.process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self._log.close()
