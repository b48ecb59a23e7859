"""A room: members, one timeline, and what to send to whom. Pure: time comes in, messages go out."""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import asdict

from midipool import PROTOCOL_VERSION, chat_commands, transport
from midipool.errors import InvalidValue, Refused
from midipool.messages import (
    CAPABILITIES,
    AudioReport,
    Ballot,
    Capability,
    ChatNews,
    Error,
    HandSongs,
    LoadSong,
    MemberStatus,
    Message,
    Ok,
    Retell,
    Say,
    SetMode,
    SongEdit,
    Takeover,
    TransportCommand,
    VoteResult,
    Welcome,
)
from midipool.timeline_chain import TimelineChain
from midipool.transport import BeginSong
from midipool_server.authority import HOW_TO_ACT, Authority, check_voter, taken_over
from midipool_server.bar_syncs import BarSyncs, bar_sync
from midipool_server.chat import Kind, RoomChat
from midipool_server.hearings import Hearings
from midipool_server.in_words import in_words
from midipool_server.media_keys import RoomMedia
from midipool_server.places import Member, Places
from midipool_server.schedule import Schedule
from midipool_server.songs import RoomSongs
from midipool_server.voting import Asker, VotedCommand, Votes

MIN_LEAD_US = 150_000
MAX_LEAD_US = 1_000_000
MOST_CHANGES = 12
EVERYBODY: None = None


class Change(NamedTuple):
    """Who changed what; `by` is None for a remote that acts for nobody."""

    by: str | None
    text: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to one member, or to everybody."""

    message: Message
    to: int | None = EVERYBODY
    needs: Capability | None = None
    """Only for those whose clients understand this part of the protocol."""


@dataclass(slots=True)
class Room:
    """One room's state. Methods take `now_us` (room time) and return what must be sent."""

    name: str
    clock_id: str
    clock_port: int
    max_members: int = 64
    keep_us: int = 120_000_000
    """How long a place is kept for a broken connection, and a room without anybody connected."""
    media: RoomMedia | None = None
    """Keys for audio; None on a server that has no relay."""
    unix_us: Callable[[int], int] = lambda room_us: room_us
    """The wall-clock time of a room time, for people."""
    places: Places = field(init=False)
    chat: RoomChat = field(init=False)
    songs: RoomSongs = field(init=False)
    schedule: Schedule = field(default_factory=Schedule)
    authority: Authority = Authority()  # noqa: RUF009 (immutable)
    _votes: Votes = field(default_factory=Votes)
    _bars: BarSyncs = field(default_factory=BarSyncs)
    _hearings: Hearings = field(default_factory=Hearings)
    _changes: deque[Change] = field(default_factory=lambda: deque(maxlen=MOST_CHANGES))

    def __post_init__(self) -> None:
        self.places = Places(self.name, self.max_members, self.keep_us)
        self.chat = RoomChat(self.unix_us, self.keep_us)
        self.songs = RoomSongs(self.keep_us)

    # ---- members ----

    @property
    def members(self) -> dict[int, Member]:
        """Members and remotes, by the id of their connection."""
        return self.places.by_id

    def join(
        self,
        now_us: int,
        id: int,
        name: str,
        token: str,
        remote: bool,
        new_token: str,
        capabilities: Collection[str] = (),
    ) -> tuple[int | None, list[Outgoing]]:
        """A member (or remote) comes; raises Refused.

        Who comes back takes its place again: by its token, or by its name once the server has
        noticed that it is away. Also returns the id of the connection that it replaces, if the
        server has not noticed yet that it is broken.
        """
        member, old = self.places.enter(id, name, token, remote, new_token)
        member.capabilities = frozenset(capabilities)
        if old is not None and old.name != name:
            self.authority = self.authority.renamed(old.name, name)
            self._votes.renamed(old.name, name)
            self._hearings.forget(old.name)
        if self.media is not None and not remote:
            member.sender = self.media.admit()
        out = [Outgoing(self._welcome(now_us, member), id)]
        for part in (self.chat, self.songs):
            part.begin(now_us)
        if "chat" in capabilities:
            out.append(Outgoing(self.chat.message(now_us), id))
        if "songs" in capabilities:
            out.append(Outgoing(self.songs.message(now_us), id))
        if not remote:
            out += self._came(now_us, name, old)
            out += [Outgoing(self.places.message()), *self._count_votes(now_us)]
        return (old.id if old is not None and old.connected else None), out

    def lost(self, now_us: int, id: int) -> list[Outgoing]:
        """A member's connection broke: its place is kept for a while. A remote just goes."""
        self.songs.gone(id)
        member = self.places.lost(now_us, id)
        if member is None:
            return []
        self._hearings.silence(member.name)
        return [Outgoing(self.places.message()), *self._count_votes(now_us)]

    def leave(self, now_us: int, id: int) -> list[Outgoing]:
        """A member says goodbye."""
        member = self.places.leave(id)
        return [] if member is None else self._without(now_us, [member])

    def set_status(self, id: int, status: MemberStatus) -> None:
        """What a member reports of its clock."""
        if id in self.members:
            self.members[id].status = status

    def heard(self, now_us: int, id: int, report: AudioReport) -> list[Outgoing]:
        """How a member hears the others, each of whom is told; raises Refused."""
        listener = self.members.get(id)
        if listener is None or listener.remote:
            raise Refused("not_member", "a remote hears nobody: join as a member")
        heard = self._hearings.report(now_us, listener.name, report, self.places.names())
        ids = {m.name: m.id for m in self.places.members() if m.connected}
        return [Outgoing(h, ids[h.hearing.member]) for h in heard if h.hearing.member in ids]

    @property
    def empty(self) -> bool:
        """No member is left, nor a place kept for one."""
        return not self.places.members()

    # ---- what members say ----

    def say(self, now_us: int, id: int, say: Say) -> list[Outgoing]:
        """Pass on what a member says, or do what it commands; raises Refused, InvalidValue."""
        name = self.places.acting(id)
        if name is None:
            raise Refused("not_member", f"only members say something: {HOW_TO_ACT}")
        self.chat.check(now_us, name)
        match chat_commands.parse(say.text, say.id):
            case chat_commands.Line(text):
                line = ChatNews(self.chat.say(now_us, name, text))
                return [Outgoing(self._ok(say.id, now_us), id), *self._tell("chat", line)]
            case chat_commands.Vote(yes):
                vote = self._votes.running
                if vote is None:
                    raise Refused("no_such_vote", "the room does not vote on anything now")
                return self.ballot(now_us, id, Ballot(say.id, vote.id, yes))
            case chat_commands.SongNamed(which):
                song = self.songs.book.which(which)
                return self.command(now_us, id, LoadSong(id=say.id, song=song.id))
            case command:
                return self.command(now_us, id, command)

    def retell(self, now_us: int, id: int, retell: Retell) -> list[Outgoing]:
        """Take what a member remembers, if the chat began anew; everybody hears it."""
        member = self.members.get(id)
        if member is None or member.remote or not self.chat.retell(now_us, retell.lines):
            return []
        return self._tell("chat", self.chat.message(now_us))

    # ---- the song list ----

    def edit_songs(self, now_us: int, id: int, edit: SongEdit) -> list[Outgoing]:
        """Change the list, by who may change the room, without a vote; raises Refused."""
        self.authority.check_command(self.places.acting(id), self.places.names(), now_us)
        told = self.songs.edit(now_us, edit)
        return [Outgoing(self._ok(edit.id, now_us), id), *self._tell("songs", *told)]

    def hand_songs(self, now_us: int, id: int, handed: HandSongs) -> list[Outgoing]:
        """Take over a member's list, if the room's began anew."""
        member = self.members.get(id)
        if member is None or member.remote:
            return []
        return self._tell("songs", *self.songs.hand(now_us, id, handed))

    # ---- transport and mode ----

    @property
    def chain(self) -> TimelineChain:
        """The timeline in force and those agreed upon for later."""
        return self.schedule.chain

    @property
    def revision(self) -> int:
        """That of the newest timeline; 0 while the room has none of its own."""
        return self.schedule.revision

    def command(
        self, now_us: int, id: int, asked: TransportCommand | LoadSong | SetMode
    ) -> list[Outgoing]:
        """Do what a member or remote asks, or vote on it; raises Refused, InvalidValue."""
        command = self.songs.begun_by(asked) if isinstance(asked, LoadSong) else asked
        actor = self.places.acting(id)
        self.schedule.advance(now_us)
        self._check(now_us, command, actor)
        if self.authority.mode == "vote":
            if not isinstance(command, SetMode):
                self.schedule.check(now_us + self.lead_us(), command)
            asker = Asker(id, command.id, check_voter(actor))
            self._votes.propose(now_us, asker, command, self.places.connected())
            return self._count_votes(now_us)
        ok, effects = self._carry_out(now_us, command, actor)
        return [Outgoing(ok, id), *effects]

    def ballot(self, now_us: int, id: int, ballot: Ballot) -> list[Outgoing]:
        """A member votes; raises Refused."""
        voter = check_voter(self.places.acting(id))
        self._votes.cast(ballot.vote, voter, ballot.yes, self.places.connected())
        effects = self._count_votes(now_us)
        return [Outgoing(self._ok(ballot.id, now_us), id), *effects]

    def take_over(self, now_us: int, id: int, takeover: Takeover) -> list[Outgoing]:
        """Go on with a member's timelines and mode if the room has none of its own.

        Raises Refused, InvalidValue.
        """
        if id not in self.members or self.members[id].remote:
            raise Refused("not_fresh", "a remote plays no timeline that the room could go on with")
        authority = taken_over(
            takeover.mode, takeover.leader, takeover.locked_by, now_us + self.keep_us
        )
        before = self.chain
        self.schedule.take_over(now_us, takeover.timelines)
        self.authority, self._bars = authority, BarSyncs(now_us)
        return [*self._announce(now_us, before), Outgoing(authority.message())]

    def lead_us(self) -> int:
        """How far ahead a change is agreed upon: so far that every member hears of it in time."""
        here = [m.status for m in self.places.members() if m.connected and m.status is not None]
        needed = [2 * status.round_trip_us + status.early_us for status in here]
        wanted = max(needed, default=0.0) + 100_000
        return round(min(max(wanted, MIN_LEAD_US), MAX_LEAD_US))

    # ---- time ----

    def poll(self, now_us: int) -> list[Outgoing]:
        """What is due at `now_us`: bar_syncs, and the ends of votes and of kept places."""
        self.schedule.advance(now_us)
        out = [Outgoing(sync) for sync in self._bars.due(self.chain, now_us)]
        over = self.places.expire(now_us)
        return out + (self._without(now_us, over) if over else self._count_votes(now_us))

    def next_deadline(self) -> int | None:
        """Room time at which `poll` has something to do; None while nothing will happen."""
        times = [self.places.next_end(), self._bars.next_time(self.chain), self._votes.ends_us]
        return min((time_us for time_us in times if time_us is not None), default=None)

    def describe(self, now_us: int) -> dict[str, object]:
        """The room in JSON's terms, for /api/rooms."""
        vote = self._votes.message(self.places.connected())
        song = self.songs.book.loaded_song()
        return {
            "name": self.name,
            "members": self.places.message().members,
            "hears": self._hearings.shown(),
            "dropped": self._hearings.dropped(),
            **asdict(self.authority.message()),
            "vote": None if vote is None else asdict(vote),
            **self.chain.at(now_us).describe_at(now_us),
            "room_time_us": now_us,
            "clock_id": self.clock_id,
            "lead_us": self.lead_us(),
            "timelines": self.chain.since(now_us).timelines,
            "changes": [change._asdict() for change in self._changes],
            "song": None if song is None else song.name,
        }

    # ---- inside ----

    def _check(self, now_us: int, command: VotedCommand, actor: str | None) -> None:
        """Raise what stands against a command at the time at which it comes."""
        names = self.places.names()
        if isinstance(command, SetMode):
            self.authority.check_mode(command, actor, names, now_us)
            return
        self.authority.check_command(actor, names, now_us)
        epoch = self.chain.last.epoch
        if command.epoch is not None and command.epoch != epoch:
            text = f"the transport has changed since (epoch {epoch}, not {command.epoch})"
            raise Refused("stale_epoch", text, "epoch")
        transport.check_since(command, now_us)

    def _carry_out(
        self, now_us: int, command: VotedCommand, actor: str | None
    ) -> tuple[Ok, list[Outgoing]]:
        """Do it; returns the answer and what everybody hears. Raises Refused, InvalidValue."""
        before = self.chain
        if isinstance(command, SetMode):
            self.authority.check_mode(command, actor, self.places.names(), now_us)
            self.authority = self.authority.changed(command, actor)
            self.schedule.begin(now_us)
            self._changes.append(Change(actor, in_words(command), now_us))
            mode = Outgoing(self.authority.message())
            told = self._notice(now_us, "did", actor, in_words(command))
            return self._ok(command.id, now_us), [mode, *told, *self._announce(now_us, before)]
        if isinstance(command, BeginSong):
            self.songs.book.find(command.song)
        timeline = self.schedule.command(now_us + self.lead_us(), command)
        self._changes.append(Change(actor, in_words(command), now_us))
        ok = Ok(
            id=command.id,
            target_send_timestamp=timeline.origin_time_us,
            revision=timeline.revision,
            epoch=timeline.epoch,
        )
        told = self._loaded(now_us, command, actor, timeline.origin_time_us)
        return ok, [*self._announce(now_us, before), *told]

    def _loaded(
        self, now_us: int, command: VotedCommand, actor: str | None, at_us: int
    ) -> list[Outgoing]:
        """What is told of a song beside its timeline."""
        if not isinstance(command, BeginSong):
            return []
        notes = self._tell("songs", *self.songs.load(command.song, actor, at_us))
        return [*notes, *self._notice(now_us, "did", actor, in_words(command))]

    def _ok(self, id: int, now_us: int) -> Ok:
        """The answer to what does not touch the timeline."""
        return Ok(id, now_us, revision=self.revision, epoch=self.chain.last.epoch)

    def _announce(self, now_us: int, before: TimelineChain) -> list[Outgoing]:
        """Tell everybody what is new since `before`: timelines, and the bars on them."""
        new = [t for t in self.chain.timelines if t not in before.timelines]
        if new:
            self._bars.again_from(new[0].origin_time_us)
        changes = [bar_sync(t, t.origin_time_us, t.origin_beats) for t in new]
        return [Outgoing(sync) for sync in [*changes, *self._bars.due(self.chain, now_us)]]

    def _without(self, now_us: int, gone: list[Member]) -> list[Outgoing]:
        """Members have left for good."""
        for member in gone:
            self._votes.forget(member.name)
            self._hearings.forget(member.name)
            self.chat.forget(member.name)
        members = Outgoing(self.places.message())
        told = [n for member in gone for n in self._notice(now_us, "left", member.name)]
        return [*self._new_key(), members, *told, *self._count_votes(now_us)]

    def _came(self, now_us: int, name: str, old: Member | None) -> list[Outgoing]:
        """What the chat says of a member that joins; who takes its place again was never gone."""
        if old is None:
            return self._notice(now_us, "came", name)
        if old.name != name:
            return self._notice(now_us, "did", name, f"was {old.name} before")
        return []

    def _notice(self, now_us: int, kind: Kind, name: str | None, text: str = "") -> list[Outgoing]:
        line = self.chat.notice(now_us, kind, name, text)
        return [] if line is None else self._tell("chat", ChatNews(line))

    def _tell(self, needs: Capability, *messages: Message) -> list[Outgoing]:
        """To everybody whose client understands it, if there is any."""
        understood = any(needs in member.capabilities for member in self.members.values())
        return [Outgoing(message, needs=needs) for message in messages if understood]

    def _new_key(self) -> list[Outgoing]:
        """Members, and no remotes, hear of another key for audio."""
        if self.media is None:
            return []
        self.media.renew()
        key = self.media.message()
        return [Outgoing(key, m.id) for m in self.places.members() if m.connected]

    def _welcome(self, now_us: int, member: Member) -> Welcome:
        return Welcome(
            version=PROTOCOL_VERSION,
            room=self.name,
            clock_id=self.clock_id,
            clock_port=self.clock_port,
            token=member.token,
            fresh=self.revision == 0,
            timelines=list(self.chain.since(now_us).timelines),
            members=self.places.message().members,
            **asdict(self.authority.message()),
            vote=self._votes.message(self.places.connected()),
            media=self.media.seat(member.sender) if self.media and member.sender else None,
            acts_for=self.places.acting(member.id) if member.remote else None,
            capabilities=list(CAPABILITIES),
        )

    def _count_votes(self, now_us: int) -> list[Outgoing]:
        """End the running vote if it is decided; else tell everybody if it stands differently."""
        connected = self.places.connected()
        decided = self._votes.decided(connected, now_us)
        if decided is None:
            news = self._votes.news(connected)
            return [Outgoing(news)] if news is not None else []
        (passed, reason), vote = decided.outcome, decided.vote
        answer: Ok | Error = decided.failure()
        effects: list[Outgoing] = []
        if passed:
            try:
                self.schedule.advance(now_us)
                answer, effects = self._carry_out(now_us, vote.command, vote.proposer)
            except (Refused, InvalidValue) as error:
                # What it needed has gone meanwhile.
                passed, reason, answer = False, str(error), refusal(error)
        result = VoteResult(vote=vote.id, passed=passed, reason=reason)
        answers = [Outgoing(message, to) for to, message in decided.answers(answer)]
        return [*([Outgoing(result)] if decided.was_told else []), *answers, *effects]


def refusal(error: Refused | InvalidValue, id: int | None = None) -> Error:
    """The message that tells a client that it was refused."""
    if isinstance(error, InvalidValue):
        return Error(code="bad_value", message=str(error), field=error.field, id=id)
    return Error(code=error.code, message=error.text, field=error.field, id=id)
