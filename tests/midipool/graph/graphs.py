"""Graphs as people make them: members come and go, links are asked for."""

from typing import get_args

from hypothesis import strategies as st
from msgspec import UNSET

from midipool.errors import InvalidValue, Refused
from midipool.graph.editing import edited
from midipool.graph.graph import Graph
from midipool.messages import (
    GraphEdit,
    HearOnly,
    LinkNodes,
    MemberKind,
    ResetGraph,
    SetGroup,
    UnlinkNodes,
)

NAMES = ("ada", "bo", "cy", "di", "echo", "fuzz", "gate")
KINDS: tuple[MemberKind, ...] = (*get_args(MemberKind), "module")
names = st.sampled_from(NAMES)
groups = st.sampled_from(("@rhythm", "@effects"))
selectors = names | names | groups | st.sampled_from(("@all", "@click"))
media = st.sampled_from(("audio", "midi", None))
some = st.lists(names, max_size=4).map(tuple)

links = st.builds(
    LinkNodes,
    id=st.just(1),
    source=selectors,
    target=selectors,
    gain_db=st.sampled_from((-6.0, 0.0, 3.0)),
    high_pass_hz=st.sampled_from((0.0, 80.0, 400.0)),
    low_pass_hz=st.sampled_from((UNSET, 0.0, 200.0, 8000.0)),
)
plain_links = st.builds(LinkNodes, id=st.just(1), source=selectors, target=selectors, medium=media)
midi_links = st.builds(
    LinkNodes,
    id=st.just(1),
    source=selectors,
    target=selectors,
    midi_channels=st.sampled_from(((), (10,), (1, 2))),
    midi_kinds=st.sampled_from(((), ("notes",))),
)
unlinks = st.builds(UnlinkNodes, id=st.just(1), source=selectors, target=selectors, medium=media)
hearing = st.builds(
    HearOnly,
    id=st.just(1),
    target=selectors,
    sources=st.lists(selectors, max_size=3).map(tuple),
    medium=media,
)
grouping = st.builds(SetGroup, id=st.just(1), name=groups, members=some)
edits = st.one_of(
    links, plain_links, midi_links, unlinks, hearing, grouping, st.just(ResetGraph(id=1))
)
comings = st.tuples(names, st.sampled_from(KINDS))
goings = names
steps = st.lists(comings | edits | edits | edits | goings, max_size=30)


def done(graph: Graph, step: GraphEdit | str | tuple[str, MemberKind]) -> Graph:
    """The graph after a step; after one that is refused, as before."""
    if isinstance(step, str):
        return graph.left(step)
    if isinstance(step, tuple):
        return graph.entered(*step)
    try:
        return edited(graph, step)
    except (Refused, InvalidValue):
        return graph


made = steps.map(lambda all: graph_after(*all))


def graph_after(*steps: GraphEdit | str | tuple[str, MemberKind]) -> Graph:
    """An empty room's, after these."""
    graph = Graph()
    for step in steps:
        graph = done(graph, step)
    return graph


def room(*players: str, **kinds: MemberKind) -> Graph:
    """Players, and others by their kind."""
    return graph_after(*((name, "player") for name in players), *kinds.items())
