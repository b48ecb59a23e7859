"""A room that a Link session meets."""

import pytest

from midipool.messages import SetTempo, Start

from .simulation import SECOND, SimRoom


@pytest.fixture
def room() -> SimRoom:
    """A room that plays at 133.7 BPM in 4/4, and that somebody has set."""
    made = SimRoom()
    made.conduct(SetTempo(id=1, bpm=133.7))
    made.conduct(Start(id=2))
    made.now_ns += 5 * SECOND
    return made
