"""One member's part in the graph: what it hears and how, and who hears it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from midipool.graph.graph import Graph, Link
from midipool.graph.nodes import CLICK
from midipool.midi_kinds import channel_of, kind_of


@dataclass(frozen=True)
class GraphPart:
    """None in the place of names: everybody, as on a server that knows no graph."""

    hears_audio: Mapping[str, Link] | None = None
    """By source."""
    click: bool = True
    """Whether it hears the click."""
    audio_to: frozenset[str] | None = None
    """Who hears it."""
    midi_to: frozenset[str] | None = None

    def audio_of(self, source: str) -> Link | None:
        """How a member is heard; None if it is not."""
        if self.hears_audio is None:
            return Link(source, "", "audio")
        return self.hears_audio.get(source)

    def sends_audio_to(self, target: str) -> bool:
        """Whether a member hears us."""
        return self.audio_to is None or target in self.audio_to

    @property
    def plays_to_somebody(self) -> bool:
        """Whether anybody hears what MIDI we play."""
        return self.midi_to is None or bool(self.midi_to)


EVERYTHING = GraphPart()


def part_of(graph: Graph, name: str) -> GraphPart:
    """The part of a node that is there; everything for one that is not."""
    if name not in graph.nodes:
        return EVERYTHING
    heard = {link.source: link for link in graph.heard_by(name, "audio")}
    return GraphPart(
        hears_audio=heard,
        click=graph.link(CLICK, name, "midi") is not None,
        audio_to=frozenset(graph.heard_from(name, "audio")),
        midi_to=frozenset(graph.heard_from(name, "midi")),
    )


def passes(link: Link, data: bytes) -> bool:
    """Whether a MIDI message gets through a link."""
    if link.kinds and kind_of(data) not in link.kinds:
        return False
    channel = channel_of(data)
    return not link.channels or channel is None or channel in link.channels
