"""Nobody hears whom the graph says not, and everybody whom it says. Pure.

Of sound, who plays is known by the pitch, of notes by what was played.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.soak.truth import GraphTruth
from tests.soak.violation import Calm, Violation

HEARD_DB = -50.0
LATE_US = 3_000_000
"""So long after an unlink what was sent before may still be heard."""
SOUND_COMES_US = 30_000_000
NOTE_COMES_US = 6_000_000


def audio_of(name: str) -> str:
    """Who is excused while a member's audio engine begins."""
    return f"audio of {name}"


@dataclass
class SoundWatch:
    """What comes out of the players' audio ports."""

    graph: GraphTruth
    calm: Calm
    heard: int = 0
    """Looks at pairs that heard each other."""
    silent: int = 0
    """At linked pairs that did not, just then."""
    _last_us: dict[tuple[str, str], int] = field(default_factory=dict)
    _told: set[tuple[str, str]] = field(default_factory=set)

    def take(self, at_us: int, listener: str, levels_db: Mapping[str, float]) -> list[Violation]:
        """How loud each one's pitch is at a listener, over the last moment."""
        found = []
        for source, level_db in levels_db.items():
            if source == listener:
                continue
            if level_db > HEARD_DB:
                found += self._sounds(at_us, source, listener, level_db)
            else:
                found += self._silent(at_us, source, listener)
        return found

    def _sounds(self, at_us: int, source: str, listener: str, db: float) -> list[Violation]:
        pair = source, listener
        self._last_us[pair] = at_us
        if self.graph.ever(source, listener, "audio", at_us - LATE_US, at_us):
            self.heard += 1
            self._told.discard(pair)
            return []
        return self._tell(at_us, pair, "heard though not linked", f"hears {source} at {db:.0f} dB")

    def _silent(self, at_us: int, source: str, listener: str) -> list[Violation]:
        from_us = at_us - SOUND_COMES_US
        pair = source, listener
        if not self.graph.always(source, listener, "audio", from_us, at_us):
            return []
        self.silent += 1
        parties = (*pair, *map(audio_of, pair), "server", "line")
        calm = self.calm.all_calm(parties, from_us, at_us)
        if not calm or self._last_us.get(pair, from_us - 1) >= from_us:
            return []
        seen = f"does not hear {source} for 30 s"
        return self._tell(at_us, pair, "linked but not heard", seen)

    def _tell(self, at_us: int, pair: tuple[str, str], what: str, seen: str) -> list[Violation]:
        if pair in self._told:
            return []
        self._told.add(pair)
        return [Violation(at_us, what, pair[1], seen)]


@dataclass
class NoteWatch:
    """Notes that one member plays, at the MIDI ports of the others."""

    source: str
    graph: GraphTruth
    calm: Calm
    heard: int = 0
    _played: list[tuple[int, int]] = field(default_factory=list)
    """(room time, key) of those that are waited for."""
    _got: dict[str, dict[int, int]] = field(default_factory=dict)
    """By listener and key: when it was heard last."""

    def play(self, at_us: int, key: int) -> None:
        """A note was sent. Keys come again after a while only."""
        self._played.append((at_us, key))

    def take(self, at_us: int, listener: str, key: int) -> list[Violation]:
        """A note-on at a port."""
        self._got.setdefault(listener, {})[key] = at_us
        if self.graph.ever(self.source, listener, "midi", at_us - LATE_US, at_us):
            self.heard += 1
            return []
        seen = f"hears note {key} of {self.source}"
        return [Violation(at_us, "heard though not linked", listener, seen)]

    def look(self, now_us: int, listeners: list[str]) -> list[Violation]:
        """Whether all that was due until now came. All until `now_us` was taken."""
        due = [played for played in self._played if played[0] + NOTE_COMES_US <= now_us]
        self._played = self._played[len(due) :]
        return [
            v for at_us, key in due for who in listeners for v in self._missing(at_us, key, who)
        ]

    def _missing(self, at_us: int, key: int, listener: str) -> list[Violation]:
        until_us = at_us + NOTE_COMES_US
        if self._got.get(listener, {}).get(key, at_us - 1) >= at_us:
            return []
        linked = self.graph.always(self.source, listener, "midi", at_us - LATE_US, until_us)
        parties = (listener, self.source, "server")
        calm = self.calm.all_calm(parties, at_us - LATE_US, until_us)
        if not (linked and calm):
            return []
        seen = f"note {key} of {self.source} did not come"
        return [Violation(at_us, "linked but not heard", listener, seen)]
