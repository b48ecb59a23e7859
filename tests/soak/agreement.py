"""All clients have the room's timeline and place, and a server comes back as it was. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from tests.soak.truth import SongTruth
from tests.soak.violation import Calm, Violation

WITHIN_US = 30_000
"""So far apart two clients may have the song, with all that a busy machine adds."""
KNOWN_US, FAR_KNOWN_US = 4_000_000, 8_000_000
"""So long after a change all clients know of it; those behind a line that loses packets later."""
LASTING_KEYS = ("mode", "leader", "locked_by", "song")


@dataclass(frozen=True, slots=True)
class ClientView:
    """What a client said of the room, between two host times."""

    asked_us: int
    answered_us: int
    room_us: int
    """Room time, as it has it, in between."""
    timelines: tuple[Timeline, ...]
    connected: bool
    clock_known: bool


@dataclass
class AgreementWatch:
    """The clients' word on where the song is. Host time is room time here: one machine."""

    song: SongTruth
    calm: Calm
    far: set[str] = field(default_factory=set)
    looks: int = 0
    worst_us: int = 0
    _told: dict[str, str] = field(default_factory=dict)

    def take(self, who: str, view: ClientView) -> list[Violation]:
        """What one said."""
        if not (view.connected and view.clock_known and view.timelines):
            return []
        known_us = FAR_KNOWN_US if who in self.far else KNOWN_US
        from_us, to_us = view.asked_us - known_us, view.answered_us
        steady = self.song.is_steady(from_us, to_us)
        if not (steady and self.calm.all_calm((who,), from_us, to_us)):
            return []
        self.looks += 1
        mine = TimelineChain(view.timelines).at(view.room_us)
        wanted = self.song.at(view.answered_us)
        if mine != wanted:
            seen = f"has revision {mine.revision} ({mine.describe_at(view.room_us)['position']})"
            return self._tell(to_us, who, "same timeline", f"{seen}, not {wanted.revision}")
        off_us = max(view.asked_us - view.room_us, view.room_us - view.answered_us, 0)
        self.worst_us = max(self.worst_us, off_us)
        if off_us > WITHIN_US:
            return self._tell(to_us, who, "same position", f"is {off_us / 1000:.1f} ms off")
        self._told.pop(who, None)
        return []

    def _tell(self, at_us: int, who: str, invariant: str, seen: str) -> list[Violation]:
        if self._told.get(who) == invariant:
            return []
        self._told[who] = invariant
        return [Violation(at_us, invariant, who, seen)]


def lost_on_the_way(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What a room is not any more that it was before its server was killed; in words."""
    lost = [key for key in LASTING_KEYS if before.get(key) != after.get(key)]
    for key in ("groups", "rules"):
        if before["graph"][key] != after["graph"][key]:
            lost.append(f"graph.{key}")
    if before["timelines"][-1] != after["timelines"][-1]:
        lost.append("timeline")
    if before["songs"] != after["songs"]:
        lost.append("songs")
    here = {member["name"] for member in after["members"]}
    gone = sorted(m["name"] for m in before["members"] if m["name"] not in here)
    return lost + ([f"places of {', '.join(gone)}"] if gone else [])
