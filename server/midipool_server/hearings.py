"""How the members of a room hear each other, as they said last. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from midipool.audio.statistics_book import StatisticsBook
from midipool.graph.graph import Graph
from midipool.messages import (
    AUDIO_REPORTS_A_SECOND,
    AudioReport,
    Dropped,
    HeardBy,
    Hearing,
    Message,
)
from midipool_server.feature import Feature, Handler
from midipool_server.floor import Floor
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member
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
    refuses: frozenset[str] = frozenset()
    """Whose sound it does not take."""
    dropped: Dropped = NOTHING


class Hearings:
    """The newest report of each member, of those who are in the room."""

    def __init__(self) -> None:
        self._listeners: dict[str, _Listener] = {}
        self.refusals = 0
        """Counts how often somebody came to refuse others than before."""

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
        self._note_refusals(listener)
        return [HeardBy(name, hearing, report.sends) for hearing in listener.hears.values()]

    def silence(self, name: str) -> None:
        """A member's connection broke: what it said says nothing any more."""
        gone = self._listeners.pop(name, None)
        self.refusals += gone is not None and bool(gone.refuses)

    def forget(self, name: str) -> None:
        """A member has left: it hears nobody, and nobody hears it."""
        self.silence(name)
        for listener in self._listeners.values():
            listener.hears.pop(name, None)
            self._note_refusals(listener)

    def refused(self) -> set[tuple[str, str]]:
        """(sender, listener) of those who do not take what they are sent."""
        return {
            (sender, name)
            for name, listener in self._listeners.items()
            for sender in listener.refuses
        }

    def _note_refusals(self, listener: _Listener) -> None:
        refuses = frozenset(h.member for h in listener.hears.values() if h.answer == "refused")
        self.refusals += refuses != listener.refuses
        listener.refuses = refuses

    def dropped(self) -> dict[str, Dropped]:
        """What came to each one's audio and was not taken, for those to whom anything did."""
        return {
            name: listener.dropped
            for name, listener in self._listeners.items()
            if listener.dropped != NOTHING
        }

    def shown(self, graph: Graph) -> dict[str, list[Hearing]]:
        """Who hears whom how, of those who are to: by the listener's name, if it said so."""
        return {
            name: [h for h in listener.hears.values() if _is_linked(graph, h.member, name)]
            for name, listener in self._listeners.items()
            if listener.hears
        }


def _is_linked(graph: Graph, source: str, listener: str) -> bool:
    return graph.is_usual or listener in graph.sent_to(source, "audio")


class HearingReports(Feature):
    """Each member says how it hears the others, who are told how they are heard."""

    def __init__(self, floor: Floor, statistics: StatisticsBook) -> None:
        self._floor = floor
        self._hearings = Hearings()
        self._statistics = statistics

    @property
    def refusals(self) -> int:
        """Is another number when `refused` may be."""
        return self._hearings.refusals

    def refused(self) -> set[tuple[str, str]]:
        """(sender, listener) of those who do not take what they are sent."""
        return self._hearings.refused()

    def handlers(self) -> Mapping[type[Message], Handler]:
        """What a member hears."""
        return {AudioReport: self._heard}

    def renamed(self, old: str, new: str) -> None:
        """What was said of the old name holds for nobody."""
        self._hearings.forget(old)

    def came(self, now_us: int, member: Member, old: Member | None) -> list[Outgoing]:
        """Who comes back may be a client that was started anew."""
        if old is not None:
            self._hearings.forget(member.name)
        return []

    def lost(self, now_us: int, member: Member) -> list[Outgoing]:
        """Who is away hears nobody."""
        self._hearings.silence(member.name)
        return []

    def left(self, now_us: int, gone: list[Member]) -> list[Outgoing]:
        """Who has left hears nobody, and nobody hears it."""
        for member in gone:
            self._hearings.forget(member.name)
        return []

    def describe(self, now_us: int) -> dict[str, object]:
        """Who hears whom how, and what was dropped on the way."""
        return {
            "hears": self._hearings.shown(self._floor.graph),
            "dropped": self._hearings.dropped(),
        }

    def _heard(self, now_us: int, id: int, report: AudioReport) -> list[Outgoing]:
        """How a member hears the others, each of whom is told."""
        listener = self._floor.member(id, "a remote hears nobody: join as a member")
        places = self._floor.places
        heard = self._hearings.report(now_us, listener.name, report, places.names())
        for told in heard:
            self._statistics.take(now_us, listener.name, told.hearing)
        ids = {m.name: m.id for m in places.members() if m.connected}
        return [
            Outgoing(h, ids[h.hearing.member], can_wait=True)
            for h in heard
            if h.hearing.member in ids
        ]
