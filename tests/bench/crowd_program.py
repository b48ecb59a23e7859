"""Programs of which each is very many clients; they are told lines, and answer with JSON."""

import json
import subprocess
import sys
from typing import Any

from midipool_demo.background import child_environment
from tests.e2e.owned_process import OwnedProcess


class CrowdProgram(OwnedProcess):
    """A process full of members, or of others who want something of a server."""

    def __init__(self, module: str, *words: object) -> None:
        command = [sys.executable, "-m", f"tests.bench.{module}", *map(str, words)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=child_environment(),
        )

    def tell(self, *words: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said

    def ask(self, *words: object) -> dict[str, Any]:
        self.tell(*words)
        return self.answer()

    def _end(self) -> None:
        self._let_end()
        super()._end()
