"""Levels as meters show them: of several channels the loudest. Pure."""

from collections.abc import Iterable
from typing import Protocol

from midipool_client.audio.engine_messages import Level


class Measured(Protocol):
    """A channel's level."""

    @property
    def peak(self) -> float:
        """1.0 is full scale."""

    @property
    def rms(self) -> float:
        """1.0 is full scale."""


def loudest(channels: Iterable[Measured]) -> Level:
    """The level of them all; silence if there is none."""
    seen = list(channels)
    return Level(
        max((level.peak for level in seen), default=0.0),
        max((level.rms for level in seen), default=0.0),
    )
