"""One more member of a stage's room, as a device of its own with a DAW at both of its ports."""

import contextlib
import signal
from collections.abc import Iterator

from midipool_demo.background import Background
from midipool_demo.stage import Player, Stage
from tests.e2e.leading_daw import LeadingDaw
from tests.e2e.waiting import wait_until


class Member:
    """Joins with `words`, on the JACK server of a player; used as a context manager."""

    def __init__(self, stage: Stage, beside: Player, name: str, *words: str) -> None:
        self.name = name
        self.receive, self.send = f"{name}:midi_receive", f"{name}:midi_send"
        self.env = beside.env
        self._stage = stage
        self._words = words
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Member":
        words = ["--name", self.name, "--device-name", self.name, *self._words]
        try:
            self.client = self._stack.enter_context(
                Background.python(
                    "midipool_client", "join", self._stage.url, "--no-audio", *words, env=self.env
                )
            )
            self.client.wait_for_output("MIDI:")
            self.daw = self._stack.enter_context(
                LeadingDaw(self.env, f"{self.name}-daw", self.name)
            )
            wait_until(self._is_measured)
        except BaseException:
            self._stack.close()
            raise
        return self

    def _is_measured(self) -> bool:
        members = self._stage.status()["members"]
        return any(m["name"] == self.name and m["status"] for m in members)

    def __exit__(self, *_: object) -> None:
        self.client.send(signal.SIGCONT)
        self.client.stop(signal.SIGINT)
        self._stack.close()


@contextlib.contextmanager
def daws(stage: Stage) -> Iterator[list[LeadingDaw]]:
    """A DAW at both ports of each of a stage's players."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(LeadingDaw(p.env, device="midiPool")) for p in stage.players]
