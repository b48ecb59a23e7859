"""A room: members, and its features, each in a module of its own. Pure: time in, messages out.

What a room does beside letting members in and out is a `Feature`; a new one is made in
`Room.__post_init__`, and needs nothing else here.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import InitVar, dataclass, field

from msgspec.structs import asdict

from midipool import PROTOCOL_VERSION
from midipool.audio.statistics_book import ROOM_LEVELS, StatisticsBook
from midipool.messages import CAPABILITIES, GiveRole, Message, Mute, Welcome
from midipool.timeline_chain import TimelineChain
from midipool_server.access.entering import Newcomer, Verdict
from midipool_server.access.host_commands import HostCommands
from midipool_server.access.means import Means
from midipool_server.access.room_access import RoomAccess
from midipool_server.access.state import AccessState, Entry
from midipool_server.authority import Authority
from midipool_server.chat import RoomChat
from midipool_server.conducting import Conducting
from midipool_server.feature import Feature, Handler
from midipool_server.floor import Floor
from midipool_server.hearings import HearingReports
from midipool_server.media_keys import KeyChanges, RoomMedia
from midipool_server.membership import Membership
from midipool_server.modules.room_modules import RoomModules
from midipool_server.modules.specs import ModuleSpec
from midipool_server.offers import Offers
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member, Places
from midipool_server.routing import Routing
from midipool_server.saving.documents import Documents
from midipool_server.saving.section import Section
from midipool_server.song_list import SongList
from midipool_server.songs import RoomSongs
from midipool_server.talk import Talk


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
    state: InitVar[AccessState | None] = None
    """Who may come in, as it was kept, or as the operator set it."""
    means: Means = field(default_factory=Means)
    """What the access of all rooms has in common."""
    statistics: StatisticsBook = field(default_factory=lambda: StatisticsBook(ROOM_LEVELS))
    """How its members heard one another, over time."""
    wall_clock: Callable[[int], str] = lambda room_us: ""
    """The same in words."""
    programs: Mapping[str, ModuleSpec] = field(default_factory=dict)
    """What the operator lets rooms run."""
    places: Places = field(init=False)
    floor: Floor = field(init=False)
    songs: RoomSongs = field(init=False)
    conducting: Conducting = field(init=False)
    access: RoomAccess = field(init=False)
    hosts: HostCommands = field(init=False)
    routing: Routing = field(init=False)
    hearings: HearingReports = field(init=False)
    modules: RoomModules = field(init=False)
    documents: Documents = field(init=False)
    features: tuple[Feature, ...] = field(init=False)
    """In the order in which they are told what happens, and speak."""
    _handlers: dict[type[Message], Handler] = field(init=False)

    def __post_init__(self, state: AccessState | None) -> None:
        self.places = Places(self.name, self.max_members, self.keep_us)
        self.floor = floor = Floor(self.places, RoomChat(self.unix_us, self.keep_us))
        self.songs = RoomSongs(self.keep_us)
        self.conducting = Conducting(floor, self.songs, self.keep_us)
        self.access = RoomAccess(self.name, floor, state or AccessState(), self.means, self.unix_us)
        self.hosts = HostCommands(self.access, self.media, self._enter, self.leave, self.unix_us)
        self.routing = Routing(floor, self.keep_us)
        self.hearings = HearingReports(floor, self.statistics)
        self.modules = RoomModules(
            self.name, floor, self.programs, self.means, self.unix_us, self.access.note
        )
        self.documents = Documents(
            floor, self.name, self.wall_clock, self._sections, self.conducting.command
        )
        self.conducting.recalls = self.documents
        self.features = (
            KeyChanges(self.places, self.media),
            Talk(floor, self.conducting.votes, self.songs.book, self.handle),
            SongList(floor, self.songs),
            self.routing,
            Membership(floor),
            self.access,
            self.hosts,
            self.hearings,
            Offers(floor),
            self.conducting,
            self.modules,
            self.documents,
        )
        self._handlers = {}
        for feature in self.features:
            self._handlers.update(feature.handlers())

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
        entry: Entry = Entry(),  # noqa: B008 (immutable)
    ) -> tuple[int | None, list[Outgoing]]:
        """A member (or remote) comes; raises Refused. It may have to wait to be let in.

        Who comes back takes its place again: by its token, or by its name once the server has
        noticed that it is away. Also returns the id of the connection that it replaces, if the
        server has not noticed yet that it is broken.
        """
        parts = frozenset(capabilities)
        newcomer = Newcomer(id, name, token, remote, new_token, parts, entry)
        verdict = self.access.judge(newcomer)
        if verdict.waits:
            return None, self.access.wait(newcomer)
        old = next((m for m in self.places.members() if token and m.token == token), None)
        out = self._enter(now_us, newcomer, verdict)
        return (old.id if old is not None and old.connected and not remote else None), out

    def lost(self, now_us: int, id: int) -> list[Outgoing]:
        """A member's connection broke: its place is kept for a while. A remote just goes."""
        out = [o for feature in self.features for o in feature.cut(id)]
        member = self.places.lost(now_us, id)
        if member is None:
            return out
        return out + [o for feature in self.features for o in feature.lost(now_us, member)]

    def leave(self, now_us: int, id: int) -> list[Outgoing]:
        """A member says goodbye."""
        out = [o for feature in self.features for o in feature.cut(id)]
        member = self.places.leave(id)
        return out + ([] if member is None else self._without(now_us, [member]))

    @property
    def empty(self) -> bool:
        """No member is left, nor a place kept for one, nobody waits, and no module runs."""
        return not (self.places.members() or self.access.waiting or self.modules.alive)

    # ---- what clients send ----

    def handle(self, now_us: int, id: int, message: Message) -> list[Outgoing]:
        """Do what a connection asks for; raises Refused, InvalidValue."""
        self.access.check(id, type(message))
        out = self._handlers[type(message)](now_us, id, message)
        # Who may not be heard any more gives nothing in the graph either.
        return out + self.routing.follow() if isinstance(message, Mute | GiveRole) else out

    @property
    def handled(self) -> frozenset[type[Message]]:
        """The types of messages that `handle` takes."""
        return frozenset(self._handlers)

    # ---- time ----

    def poll(self, now_us: int) -> list[Outgoing]:
        """What is due at `now_us`: of the features, and the ends of kept places."""
        out = [o for feature in self.features for o in feature.poll(now_us)]
        over = self.places.expire(now_us)
        return out + (self._without(now_us, over) if over else [])

    def next_deadline(self) -> int | None:
        """Room time at which `poll` has something to do; None while nothing will happen."""
        times = [self.places.next_end(), *(feature.next_deadline() for feature in self.features)]
        return min((time_us for time_us in times if time_us is not None), default=None)

    # ---- what it looks like ----

    @property
    def chain(self) -> TimelineChain:
        """The timeline in force and those agreed upon for later."""
        return self.floor.schedule.chain

    @property
    def revision(self) -> int:
        """That of the newest timeline; 0 while the room has none of its own."""
        return self.floor.schedule.revision

    @property
    def authority(self) -> Authority:
        """Who may change the room."""
        return self.floor.authority

    def describe(self, now_us: int) -> dict[str, object]:
        """The room in JSON's terms, for /api/rooms."""
        described: dict[str, object] = {
            "name": self.name,
            "clock_id": self.clock_id,
            "room_time_us": now_us,
        }
        for feature in self.features:
            described |= feature.describe(now_us)
        return described

    @property
    def is_private(self) -> bool:
        """Whether a password or an invitation is needed to come in."""
        return self.access.state.password is not None or self.means.invited_only

    def describe_to_strangers(self, now_us: int) -> dict[str, object]:
        """The same, unless a password or an invitation is needed to come in."""
        if not self.is_private:
            return self.describe(now_us)
        players = len(self.places.connected())
        needed = "password" if self.access.state.password is not None else "invitation"
        return {"name": self.name, "players": players, "private": True, "needed": needed}

    # ---- inside ----

    def _enter(self, now_us: int, newcomer: Newcomer, verdict: Verdict) -> list[Outgoing]:
        """Let somebody in; raises Refused."""
        id, name, remote = newcomer.id, newcomer.name, newcomer.remote
        member, old = self.places.enter(id, name, newcomer.token, remote, newcomer.new_token)
        member.capabilities = newcomer.capabilities
        if old is not None and old.name != name:
            for feature in self.features:
                feature.renamed(old.name, name)
        if self.media is not None and not remote:
            member.sender = self.media.admit()
        self.access.entered(now_us, newcomer, member, verdict)
        out = [Outgoing(self._welcome(now_us, member, old is not None), id)]
        for feature in self.features:
            out += feature.greet(now_us, member)
        if not remote:
            for feature in self.features:
                out += feature.came(now_us, member, old)
        return out

    def _sections(self) -> list[Section]:
        return [section for feature in self.features for section in feature.sections()]

    def _without(self, now_us: int, gone: list[Member]) -> list[Outgoing]:
        """Members have left for good."""
        return [o for feature in self.features for o in feature.left(now_us, gone)]

    def _welcome(self, now_us: int, member: Member, returns: bool) -> Welcome:
        return Welcome(
            version=PROTOCOL_VERSION,
            room=self.name,
            clock_id=self.clock_id,
            clock_port=self.clock_port,
            token=member.token,
            fresh=self.revision == 0 or (returns and self.floor.schedule.is_kept(now_us)),
            timelines=list(self.chain.since(now_us).timelines),
            members=self.places.message().members,
            **asdict(self.authority.message()),
            vote=self.conducting.votes.message(self.places.connected()),
            media=self.media.seat(member.sender) if self.media and member.sender else None,
            acts_for=self.places.acting(member.id) if member.remote else None,
            capabilities=list(CAPABILITIES),
        )
