"""The room's graph as a member knows it: its own part, and what a new server is handed. Pure."""

from dataclasses import dataclass, field

from midipool.graph.graph import Graph, KeptGraph
from midipool.graph.news import graph_of, heard
from midipool.graph.part import EVERYTHING, GraphPart, part_of
from midipool.messages import GraphNews, HandGraph, RoomGraph, Welcome


@dataclass(slots=True)
class KnownGraph:
    """The graph, and whether the room has one."""

    graph: Graph = field(default_factory=Graph)
    known: bool = False
    has_recorders: bool = False
    """Whether the server takes who records into the graph."""

    def told(self, message: RoomGraph | GraphNews) -> HandGraph | None:
        """The room says something of its graph; returns what it is to be told."""
        if isinstance(message, GraphNews):
            self.graph = heard(self.graph, message)
            return None
        mine, self.graph = self.graph.kept(), graph_of(message)
        self.known = True
        if not message.hand or mine == KeptGraph():
            return None
        return HandGraph(list(mine.groups), list(mine.rules))

    def welcomed(self, welcome: Welcome) -> None:
        """A server without a graph has everybody hear all; one with it says so next."""
        self.known = self.known and "graph" in welcome.capabilities
        self.has_recorders = "recorder" in welcome.capabilities

    def part(self, name: str) -> GraphPart:
        """What a member hears, and who hears it; everything on a server without a graph."""
        return part_of(self.graph, name) if self.known else EVERYTHING
