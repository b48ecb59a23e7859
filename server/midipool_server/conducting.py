"""What members do to the timeline and to the room's mode, at once or by vote. Pure."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, get_args

from msgspec.structs import asdict

from midipool import transport
from midipool.errors import InvalidValue, Refused
from midipool.messages import (
    Ballot,
    Error,
    LoadSong,
    Message,
    Ok,
    SetMode,
    Takeover,
    TransportCommand,
    VoteResult,
)
from midipool.timeline_chain import TimelineChain
from midipool.transport import BeginSong, Recall
from midipool_server.authority import check_voter, taken_over
from midipool_server.bar_syncs import BarSyncs, bar_sync
from midipool_server.conducting_kept import Conducted, KeptConducting
from midipool_server.feature import Feature, Handler
from midipool_server.floor import Floor
from midipool_server.in_words import in_words
from midipool_server.outgoing import Outgoing, refusal
from midipool_server.places import Member
from midipool_server.saving.section import Loading, Section, Then
from midipool_server.songs import RoomSongs
from midipool_server.voting import Asker, VotedCommand, Votes

MIN_LEAD_US = 150_000
MAX_LEAD_US = 1_000_000
MOST_CHANGES = 12


class Change(NamedTuple):
    """Who changed what; `by` is None for a remote that acts for nobody."""

    by: str | None
    text: str
    at_us: int


class Recalls(Protocol):
    """Documents that can be loaded (saving/documents.py)."""

    def check(self, loading: Loading, recall: Recall) -> None:
        """Raise Refused for what stands against any of it."""

    def load(self, loading: Loading, recall: Recall) -> list[Outgoing]:
        """The room becomes what was checked."""


class NoRecalls:
    """There are none."""

    def check(self, loading: Loading, recall: Recall) -> None:
        """Nothing stands against nothing."""

    def load(self, loading: Loading, recall: Recall) -> list[Outgoing]:
        """Nothing happens."""
        return []


class Conducting(Feature):
    """The timeline's commands, takeovers, modes and votes."""

    key = "conducting"

    def __init__(self, floor: Floor, songs: RoomSongs, keep_us: int) -> None:
        self.recalls: Recalls = NoRecalls()
        """What a document has beside a timeline."""
        self._floor = floor
        self._songs = songs
        self._keep_us = keep_us
        self.votes = Votes()
        self.changes: deque[Change] = deque(maxlen=MOST_CHANGES)
        self._bars = BarSyncs()
        self._kept = Conducted(floor, keep_us)
        self._returned: set[int] = set()
        """Connections that took their places again."""

    def handlers(self) -> Mapping[type[Message], Handler]:
        """All that changes what plays, or who may change it."""
        commands: tuple[type[Message], ...] = (*get_args(TransportCommand), LoadSong, SetMode)
        return {
            **dict.fromkeys(commands, self.command),
            Ballot: self._ballot,
            Takeover: self._take_over,
        }

    @property
    def chain(self) -> TimelineChain:
        """The timeline in force and those agreed upon for later."""
        return self._floor.schedule.chain

    def lead_us(self) -> int:
        """How far ahead a change is agreed upon: so far that every member hears of it in time."""
        members = self._floor.places.members()
        here = [m.status for m in members if m.connected and m.status is not None]
        needed = [2 * status.round_trip_us + status.early_us for status in here]
        wanted = max(needed, default=0.0) + 100_000
        return round(min(max(wanted, MIN_LEAD_US), MAX_LEAD_US))

    # ---- what happens in the room ----

    def renamed(self, old: str, new: str) -> None:
        """Who leads, locked or voted has another name."""
        self._floor.authority = self._floor.authority.renamed(old, new)
        self.votes.renamed(old, new)

    def came(self, now_us: int, member: Member, old: Member | None) -> list[Outgoing]:
        """One more votes; who leads or locked the room may have another name now."""
        if old is not None:
            self._returned.add(member.id)
        counted = self._count_votes(now_us)
        authority = self._floor.authority
        renamed = old is not None and old.name != member.name
        if renamed and member.name in (authority.leader, authority.locked_by):
            return [Outgoing(authority.message()), *counted]
        return counted

    def cut(self, id: int) -> list[Outgoing]:
        """It is not here any more."""
        self._returned.discard(id)
        return []

    def lost(self, now_us: int, member: Member) -> list[Outgoing]:
        """One less votes."""
        return self._count_votes(now_us)

    def left(self, now_us: int, gone: list[Member]) -> list[Outgoing]:
        """Others of these names have not voted yet."""
        for member in gone:
            self.votes.forget(member.name)
        return self._count_votes(now_us)

    def poll(self, now_us: int) -> list[Outgoing]:
        """Bar_syncs, and the end of a vote."""
        self._floor.schedule.advance(now_us)
        out = [Outgoing(sync) for sync in self._bars.due(self.chain, now_us)]
        return out + self._count_votes(now_us)

    def next_deadline(self) -> int | None:
        """The next bar_sync, or the end of the running vote."""
        times = (self._bars.next_time(self.chain), self.votes.ends_us)
        return min((time_us for time_us in times if time_us is not None), default=None)

    def describe(self, now_us: int) -> dict[str, object]:
        """What plays, and who changed it."""
        vote = self.votes.message(self._floor.places.voters())
        return {
            **asdict(self._floor.authority.message()),
            "vote": None if vote is None else asdict(vote),
            **self.chain.at(now_us).describe_at(now_us),
            "lead_us": self.lead_us(),
            "timelines": self.chain.since(now_us).timelines,
            "changes": [change._asdict() for change in self.changes],
        }

    # ---- what members ask for ----

    # ---- what is kept ----

    def sections(self) -> Sequence[Section]:
        """The timeline and the mode."""
        return self._kept.sections()

    def to_keep(self, now_us: int) -> KeptConducting:
        """The schedule, the mode, and who changed what."""
        return self._kept.kept([(by, text, at_us) for by, text, at_us in self.changes])

    def bring_back(self, now_us: int, said: Any, then: Then) -> None:
        """As it was."""
        for change in self._kept.bring_back(now_us, said, then):
            self.changes.append(Change(*change))
        self._bars = BarSyncs(now_us)

    def is_fresh(self, now_us: int, id: int) -> bool:
        """Whether a connection may send `takeover`."""
        schedule = self._floor.schedule
        return schedule.revision == 0 or (schedule.is_kept(now_us) and id in self._returned)

    # ---- commands ----

    def command(
        self, now_us: int, id: int, asked: TransportCommand | LoadSong | SetMode | Recall
    ) -> list[Outgoing]:
        """Do what a member or remote asks, or vote on it."""
        command = self._songs.begun_by(asked) if isinstance(asked, LoadSong) else asked
        actor = self._floor.places.acting(id)
        self._floor.schedule.advance(now_us)
        self._check(now_us, command, actor)
        if self._floor.authority.mode == "vote":
            if not isinstance(command, SetMode):
                self._floor.schedule.check(now_us + self.lead_us(), command)
            asker = Asker(id, command.id, check_voter(actor))
            self.votes.propose(now_us, asker, command, self._floor.places.voters())
            return self._count_votes(now_us)
        ok, effects = self._carry_out(now_us, command, actor)
        return [Outgoing(ok, id), *effects]

    def _ballot(self, now_us: int, id: int, ballot: Ballot) -> list[Outgoing]:
        """A member votes."""
        voter = check_voter(self._floor.places.acting(id))
        self.votes.cast(ballot.vote, voter, ballot.yes, self._floor.places.voters())
        effects = self._count_votes(now_us)
        return [Outgoing(self._floor.ok(ballot.id, now_us), id), *effects]

    def _take_over(self, now_us: int, id: int, takeover: Takeover) -> list[Outgoing]:
        """Go on with a member's timelines and mode if the room has none of its own."""
        why = "a remote plays no timeline that the room could go on with"
        self._floor.member(id, why, "not_fresh")
        if self._floor.schedule.is_kept(now_us):
            return self._take_over_kept(now_us, id, takeover)
        authority = taken_over(
            takeover.mode, takeover.leader, takeover.locked_by, now_us + self._keep_us
        )
        before = self.chain
        self._floor.schedule.take_over(now_us, takeover.timelines)
        self._floor.authority, self._bars = authority, BarSyncs(now_us)
        return [*self._announce(now_us, before), Outgoing(authority.message())]

    def _take_over_kept(self, now_us: int, id: int, takeover: Takeover) -> list[Outgoing]:
        """The room came back with its server; who was in it may know what happened last."""
        if not self.is_fresh(now_us, id):
            raise Refused("not_fresh", "the room has a timeline, and this member was not in it")
        before = self.chain
        if self._floor.schedule.take_over_newer(now_us, takeover.timelines):
            self._bars = BarSyncs(now_us)
            return self._announce(now_us, before)
        known = [bar_sync(t, t.origin_time_us, t.origin_beats) for t in self.chain.timelines]
        return [Outgoing(sync, id) for sync in known]

    # ---- inside ----

    def _check(self, now_us: int, command: VotedCommand, actor: str | None) -> None:
        """Raise what stands against a command at the time at which it comes."""
        names = self._floor.places.names()
        if isinstance(command, SetMode):
            is_host = self._floor.places.is_host(actor)
            self._floor.authority.check_mode(command, actor, names, now_us, is_host)
            return
        self._floor.authority.check_command(actor, names, now_us)
        epoch = self.chain.last.epoch
        if command.epoch is not None and command.epoch != epoch:
            text = f"the transport has changed since (epoch {epoch}, not {command.epoch})"
            raise Refused("stale_epoch", text, "epoch")
        transport.check_since(command, now_us)
        if isinstance(command, Recall):
            self.recalls.check(Loading(now_us, actor, now_us), command)

    def _carry_out(
        self, now_us: int, command: VotedCommand, actor: str | None
    ) -> tuple[Ok, list[Outgoing]]:
        """Do it; returns the answer and what everybody hears. Raises Refused, InvalidValue."""
        if isinstance(command, SetMode):
            return self._set_mode(now_us, command, actor)
        before = self.chain
        if isinstance(command, BeginSong):
            self._songs.book.find(command.song)
        if isinstance(command, Recall):
            self.recalls.check(Loading(now_us, actor, now_us), command)
        timeline = self._floor.schedule.command(now_us + self.lead_us(), command)
        self.changes.append(Change(actor, in_words(command), now_us))
        ok = Ok(
            id=command.id,
            target_send_timestamp=timeline.origin_time_us,
            revision=timeline.revision,
            epoch=timeline.epoch,
        )
        told = self._loaded(now_us, command, actor, timeline.origin_time_us)
        return ok, [*self._announce(now_us, before), *told]

    def _set_mode(
        self, now_us: int, command: SetMode, actor: str | None
    ) -> tuple[Ok, list[Outgoing]]:
        before, floor = self.chain, self._floor
        places = floor.places
        is_host = places.is_host(actor)
        floor.authority.check_mode(command, actor, places.names(), now_us, is_host)
        floor.authority = floor.authority.changed(command, actor)
        floor.schedule.begin(now_us)
        self.changes.append(Change(actor, in_words(command), now_us))
        mode = Outgoing(floor.authority.message())
        told = floor.notice(now_us, "did", actor, in_words(command))
        return floor.ok(command.id, now_us), [mode, *told, *self._announce(now_us, before)]

    def _loaded(
        self, now_us: int, command: VotedCommand, actor: str | None, at_us: int
    ) -> list[Outgoing]:
        """What is told of a song or a document beside its timeline."""
        if isinstance(command, Recall):
            rest = self.recalls.load(Loading(now_us, actor, at_us), command)
            return [*rest, *self._floor.notice(now_us, "did", actor, in_words(command))]
        if not isinstance(command, BeginSong):
            return []
        notes = self._floor.tell("songs", *self._songs.load(command.song, actor, at_us))
        return [*notes, *self._floor.notice(now_us, "did", actor, in_words(command))]

    def _announce(self, now_us: int, before: TimelineChain) -> list[Outgoing]:
        """Tell everybody what is new since `before`: timelines, and the bars on them."""
        new = [t for t in self.chain.timelines if t not in before.timelines]
        if new:
            self._bars.again_from(new[0].origin_time_us)
        changes = [bar_sync(t, t.origin_time_us, t.origin_beats) for t in new]
        return [Outgoing(sync) for sync in [*changes, *self._bars.due(self.chain, now_us)]]

    def _count_votes(self, now_us: int) -> list[Outgoing]:
        """End the running vote if it is decided; else tell everybody if it stands differently."""
        connected = self._floor.places.voters()
        decided = self.votes.decided(connected, now_us)
        if decided is None:
            news = self.votes.news(connected)
            return [Outgoing(news)] if news is not None else []
        (passed, reason), vote = decided.outcome, decided.vote
        answer: Ok | Error = decided.failure()
        effects: list[Outgoing] = []
        if passed:
            try:
                self._floor.schedule.advance(now_us)
                answer, effects = self._carry_out(now_us, vote.command, vote.proposer)
            except (Refused, InvalidValue) as error:
                # What it needed has gone meanwhile.
                passed, reason, answer = False, str(error), refusal(error)
        result = VoteResult(vote=vote.id, passed=passed, reason=reason)
        answers = [Outgoing(message, to) for to, message in decided.answers(answer)]
        return [*([Outgoing(result)] if decided.was_told else []), *answers, *effects]
