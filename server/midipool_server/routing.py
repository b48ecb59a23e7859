"""Who hears whom: a room's graph, who may change it, and what everybody is told. Pure."""

from collections.abc import Mapping, Sequence

from midipool.errors import Refused
from midipool.graph.editing import concerns, edited
from midipool.graph.graph import Graph, KeptGraph
from midipool.graph.news import news_of, whole
from midipool.graph.nodes import PORTS
from midipool.graph.words import edit_in_words
from midipool.messages import (
    GraphEdit,
    HandGraph,
    HearOnly,
    LinkNodes,
    MemberKind,
    Message,
    ResetGraph,
    SetGroup,
    SetRecorder,
    UnlinkNodes,
)
from midipool.snapshot.graph import GraphSection
from midipool_server.access import roles
from midipool_server.feature import Feature, Handler
from midipool_server.floor import Floor
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member
from midipool_server.rate_limit import RateLimit
from midipool_server.saving.section import Loading, Section

EDITS: tuple[type[Message], ...] = (LinkNodes, UnlinkNodes, HearOnly, SetGroup, ResetGraph)
EDITS_A_SECOND, EDIT_BURST = 10.0, 200.0


class Routing(Feature):
    """The floor's graph: members are its nodes as long as they have a place."""

    def __init__(self, floor: Floor, keep_us: int) -> None:
        self._floor = floor
        self.seen = floor.graph
        """As it was when what members play was last sent by it."""
        self._keep_us = keep_us
        self._begun_us: int | None = None
        self._limit = RateLimit(EDITS_A_SECOND, EDIT_BURST)

    def handlers(self) -> Mapping[type[Message], Handler]:
        """Changes, who records, and a graph that is handed over."""
        return {
            **dict.fromkeys(EDITS, self._edit),
            SetRecorder: self._record,
            HandGraph: self._hand,
        }

    # ---- what people set ----

    def may_change(self, now_us: int, actor: str | None, edit: GraphEdit) -> None:
        """Raise Refused unless the actor may do this.

        What one hears or records oneself is one's own; hosts may all, listeners nothing else, and
        the others what the room's mode lets them.
        """
        ears = concerns(edit)
        its_own = actor is not None and actor in (ears, self._floor.graph.owners.get(ears or ""))
        if its_own or self._floor.places.is_host(actor):
            return
        roles.check(self._floor.places.role_of(actor), SetGroup)
        self._floor.authority.check_command(actor, self._floor.places.names(), now_us)

    def change(self, now_us: int, actor: str | None, edit: GraphEdit) -> list[Outgoing]:
        """Do it for a member, or a remote that acts for none; raises Refused, InvalidValue."""
        self.may_change(now_us, actor, edit)
        if not self._limit.allow(now_us):
            raise Refused("too_fast", "the graph is changed too often: wait a moment")
        told = self._put(edited(self._floor.graph, edit))
        return [*told, *self._floor.notice(now_us, "did", actor, edit_in_words(edit))]

    def restore(self, kept: KeptGraph) -> list[Outgoing]:
        """Have what was kept in the place of what is set."""
        return self._put(self._floor.graph.with_kept(kept))

    def sections(self) -> Sequence[Section]:
        """What people have set."""
        return [Section("graph", self._saved, self._load, self._check)]

    def _saved(self, now_us: int) -> GraphSection:
        kept = self._floor.graph.kept()
        return GraphSection(groups=list(kept.groups), rules=list(kept.rules))

    def _check(self, loading: Loading, said: GraphSection) -> None:
        self.may_change(loading.now_us, loading.actor, ResetGraph(id=0))

    def _load(self, loading: Loading, said: GraphSection) -> list[Outgoing]:
        return self.restore(KeptGraph(tuple(said.groups), tuple(said.rules)))

    # ---- what happens ----

    def renamed(self, old: str, new: str) -> None:
        """Its links go with it; those who are here hear of it by `came`."""
        self._floor.graph = self._floor.graph.renamed(old, new)

    def greet(self, now_us: int, member: Member) -> list[Outgoing]:
        """The whole graph."""
        self._begun_us = now_us if self._begun_us is None else self._begun_us
        if "graph" not in member.capabilities:
            return []
        return [Outgoing(whole(self._floor.graph, self._takes(now_us)), member.id)]

    def came(self, now_us: int, member: Member, old: Member | None) -> list[Outgoing]:
        """A node more, or one of another kind or name."""
        # Who comes back and records still says so again.
        graph = self._floor.graph.recording(member.name, False)
        if old is not None and old.name != member.name:
            # Rules of the old name have changed in the midst of others.
            self._floor.graph = graph.entered(member.name, _kind_of(member))
            return self._floor.tell("graph", whole(self._floor.graph, self._takes(now_us)))
        told = self._put(graph)
        return told + self._put(graph.entered(member.name, _kind_of(member)))

    def follow(self) -> list[Outgoing]:
        """Somebody may be heard no more, or again."""
        out = []
        for member in self._floor.places.members():
            out += self._put(self._floor.graph.entered(member.name, _kind_of(member)))
        return out

    def left(self, now_us: int, gone: list[Member]) -> list[Outgoing]:
        """Nodes less."""
        graph = self._floor.graph
        for member in gone:
            graph = graph.left(member.name)
        return self._put(graph)

    def describe(self, now_us: int) -> dict[str, object]:
        """As members are told of it; all links are at /api/rooms/NAME/graph."""
        told = whole(self._floor.graph)
        parts = ("revision", "nodes", "groups", "rules")
        return {"graph": {part: getattr(told, part) for part in parts}}

    # ---- inside ----

    def _edit(self, now_us: int, id: int, edit: GraphEdit) -> list[Outgoing]:
        told = self.change(now_us, self._floor.places.acting(id), edit)
        return [Outgoing(self._floor.ok(edit.id, now_us), id), *told]

    def _record(self, now_us: int, id: int, said: SetRecorder) -> list[Outgoing]:
        member = self._floor.member(id, "a remote records nothing: join as a member")
        if not self._limit.allow(now_us):
            raise Refused("too_fast", "recording begins and ends too often: wait a moment")
        told = self._put(self._floor.graph.recording(member.name, said.recording))
        return [Outgoing(self._floor.ok(said.id, now_us), id), *told]

    def _hand(self, now_us: int, id: int, handed: HandGraph) -> list[Outgoing]:
        """Take over a member's graph, if the room's began anew."""
        member = self._floor.places.by_id.get(id)
        if member is None or member.remote or not self._takes(now_us):
            return []
        return self.restore(KeptGraph(tuple(handed.groups), tuple(handed.rules)))

    def _takes(self, now_us: int) -> bool:
        is_new = self._begun_us is None or now_us - self._begun_us < self._keep_us
        return is_new and self._floor.graph.kept() == KeptGraph()

    def _put(self, graph: Graph) -> list[Outgoing]:
        before, self._floor.graph = self._floor.graph, graph
        return [] if graph is before else self._floor.tell("graph", news_of(before, graph))


def _kind_of(member: Member) -> MemberKind:
    """What it is there for as long as it may be heard."""
    return "listener" if member.silent and PORTS[member.kind].takes else member.kind
