"""How the members of a room hear each other, as they said last. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, field

from midipool.messages import AUDIO_REPORTS_A_SECOND, AudioReport, Dropped, HeardBy, Hearing
from midipool_server.rate_limit import RateLimit

# Reports that the network held up come together.
REPORT_BURST = 4.0
NOTHING = Dropped()


@dataclass(slots=True)
class _Listener:
    limit: RateLimit = field(
        default_factory=lambda: RateLimit(AUDIO_REPORTS_A_SECOND, REPORT_BURST)
    )
    hears: dict[str, Hearing] = field(default_factory=dict)
    """By the name of who is heard."""
    dropped: Dropped = NOTHING


class Hearings:
    """The newest report of each member, of those who are in the room."""

    def __init__(self) -> None:
        self._listeners: dict[str, _Listener] = {}

    def report(
        self, now_us: int, name: str, report: AudioReport, names: Collection[str]
    ) -> list[HeardBy]:
        """What member `name` says it hears of `names`; returns what each of them is to be told."""
        listener = self._listeners.setdefault(name, _Listener())
        if not listener.limit.allow(now_us):
            return []
        others = {hearing.member: hearing for hearing in report.hears}
        listener.hears = {
            member: hearing
            for member, hearing in others.items()
            if member in names and member != name
        }
        listener.dropped = report.dropped
        return [HeardBy(name, hearing, report.sends) for hearing in listener.hears.values()]

    def silence(self, name: str) -> None:
        """A member's connection broke: what it said says nothing any more."""
        self._listeners.pop(name, None)

    def forget(self, name: str) -> None:
        """A member has left: it hears nobody, and nobody hears it."""
        self.silence(name)
        for listener in self._listeners.values():
            listener.hears.pop(name, None)

    def dropped(self) -> dict[str, Dropped]:
        """What came to each one's audio and was not taken, for those to whom anything did."""
        return {
            name: listener.dropped
            for name, listener in self._listeners.items()
            if listener.dropped != NOTHING
        }

    def shown(self) -> dict[str, list[Hearing]]:
        """Who hears whom how: by the listener's name, for those who said it."""
        return {
            name: list(listener.hears.values())
            for name, listener in self._listeners.items()
            if listener.hears
        }
