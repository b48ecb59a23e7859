"""What a port that plays the spooler is, wherever it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Hear = Callable[[list[tuple[int, bytes]]], None]
"""Is given (host ns, bytes) of what arrived at the input, on a thread of the sink's."""

Backend = Literal["auto", "jack", "rtmidi"]


@dataclass(frozen=True, slots=True)
class SinkChoice:
    """Which port the player asked for."""

    backend: str = "auto"
    device_name: str = "midiPool"
    midi_port: str | None = None
    control: bool = False
    """Whether there is an input for controllers too."""
    control_port: str | None = None
    """An existing port to hear them from."""


class Sink(Protocol):
    """A port that plays the spooler."""

    backend: str
    text: str
    latency_us: int

    def alive(self) -> bool:
        """Whether it still plays."""

    def close(self) -> None:
        """Take the ports away."""
