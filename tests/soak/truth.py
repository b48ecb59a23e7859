"""What holds in the room, and what held before: its timelines, and who hears whom. Pure."""

import bisect
from dataclasses import dataclass, field

from midipool.graph.graph import Graph
from midipool.messages import Medium
from midipool.meter import BEAT, CLOCKS_PER_BEAT
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

KEEP_US = 120_000_000
"""What is older is asked by nobody."""


@dataclass
class SongTruth:
    """The timelines as the room told of them, the past ones too."""

    chain: TimelineChain = field(default_factory=lambda: TimelineChain((Timeline(),)))
    told_us: list[tuple[int, int]] = field(default_factory=list)
    """(when it was told, when it takes over) of each."""
    revisions: set[int] = field(default_factory=set)

    def learn(self, timeline: Timeline, now_us: int) -> bool:
        """The room tells of a timeline; whether it is new."""
        if timeline.revision in self.revisions or timeline.revision < self.chain.revision:
            return False
        self.revisions.add(timeline.revision)
        self.told_us.append((now_us, timeline.origin_time_us))
        self.chain = self.chain.then(timeline).since(now_us - KEEP_US)
        del self.told_us[:-200]
        return True

    def at(self, time_us: int) -> Timeline:
        """The one in force."""
        return self.chain.at(time_us)

    def is_steady(self, from_us: int, to_us: int) -> bool:
        """Whether no timeline took over, and none was told of, in that time."""
        return not any(
            from_us <= told_us <= to_us or from_us <= begin_us <= to_us
            for told_us, begin_us in self.told_us
        )


def tick_at(timeline: Timeline, time_us: int) -> float:
    """How many ticks of the song are over at a time, with a fraction."""
    return timeline.song_beats_at(time_us) * CLOCKS_PER_BEAT / BEAT


@dataclass
class GraphTruth:
    """Who heard whom when."""

    since: list[tuple[int, Graph]] = field(default_factory=list)
    """(room time, graph from then on)"""

    def learn(self, graph: Graph, now_us: int) -> None:
        """From now on."""
        self.since.append((now_us, graph))
        while len(self.since) > 1 and self.since[1][0] < now_us - KEEP_US:
            del self.since[0]

    def graphs(self, from_us: int, to_us: int) -> list[Graph]:
        """All that held at some time between these."""
        times = [time_us for time_us, _ in self.since]
        first = max(bisect.bisect_right(times, from_us) - 1, 0)
        return [graph for time_us, graph in self.since[first:] if time_us <= to_us]

    def ever(self, source: str, target: str, medium: Medium, from_us: int, to_us: int) -> bool:
        """Whether `target` heard `source` at some time between."""
        return any(g.link(source, target, medium) for g in self.graphs(from_us, to_us))

    def always(self, source: str, target: str, medium: Medium, from_us: int, to_us: int) -> bool:
        """Whether it did all the time."""
        graphs = self.graphs(from_us, to_us)
        known = bool(self.since) and self.since[0][0] <= from_us
        return known and all(g.link(source, target, medium) for g in graphs)
