"""The timeline that a stage's room is on."""

import msgspec

from midipool.timeline import Timeline
from midipool_demo.stage import Stage


def newest_timeline(stage: Stage) -> Timeline:
    return msgspec.convert(stage.status()["timelines"][-1], Timeline)
