"""One member's part in the graph: what it hears and how, and who hears it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from midipool.graph.graph import Graph, Link
from midipool.graph.nodes import CLICK
from midipool.messages import Medium, MidiFrom
from midipool.midi_kinds import channel_of, kind_of


@dataclass(frozen=True)
class Tape:
    """What our recorder gets, and how; what we play ourselves too. By source."""

    audio: Mapping[str, Link]
    midi: Mapping[str, Link]


@dataclass(frozen=True)
class GraphPart:
    """None in the place of names: everybody, as on a server that knows no graph."""

    hears_audio: Mapping[str, Link] | None = None
    """By source."""
    hears_midi: Mapping[str, Link] | None = None
    """By source."""
    click: bool = True
    """Whether it hears the click."""
    audio_to: frozenset[str] | None = None
    """Who hears it."""
    midi_to: frozenset[str] | None = None
    tape: Tape | None = None
    """None: what we record is what we hear, and what we play."""

    def audio_of(self, source: str) -> Link | None:
        """How a member is heard; None if it is not."""
        if self.hears_audio is None:
            return Link(source, "", "audio")
        return self.hears_audio.get(source)

    def taped_of(self, source: str) -> Link | None:
        """How a member is recorded; None if it is not."""
        return self.audio_of(source) if self.tape is None else self.tape.audio.get(source)

    def heard(self, message: MidiFrom) -> MidiFrom:
        """What we hear of MIDI that came for us or our recorder."""
        if self.tape is None or self.hears_midi is None:
            return message
        return _passed(self.hears_midi.get(message.name), message)

    def taped(self, message: MidiFrom) -> MidiFrom:
        """What our recorder gets of it; we may have played it ourselves."""
        if self.tape is None:
            return message
        return _passed(self.tape.midi.get(message.name), message)

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
    return GraphPart(
        hears_audio=_by_source(graph, name, "audio"),
        hears_midi=_by_source(graph, name, "midi"),
        click=graph.link(CLICK, name, "midi") is not None,
        audio_to=frozenset(graph.sent_to(name, "audio")),
        midi_to=frozenset(graph.sent_to(name, "midi")),
        tape=_tape_of(graph, name),
    )


def _tape_of(graph: Graph, name: str) -> Tape | None:
    node = graph.recorder(name)
    if node is None:
        return None
    # Who is not heard by others records itself nevertheless.
    graph = replace(graph, nodes={**graph.nodes, name: "player"})
    return Tape(_by_source(graph, node, "audio"), _by_source(graph, node, "midi"))


def _by_source(graph: Graph, target: str, medium: Medium) -> dict[str, Link]:
    return {link.source: link for link in graph.heard_by(target, medium)}


def _passed(link: Link | None, message: MidiFrom) -> MidiFrom:
    if link is not None and not (link.channels or link.kinds):
        return message
    events = [e for e in message.events if link is not None and passes(link, bytes.fromhex(e.data))]
    return MidiFrom(message.name, events, message.silence)


def passes(link: Link, data: bytes) -> bool:
    """Whether a MIDI message gets through a link."""
    if link.kinds and kind_of(data) not in link.kinds:
        return False
    channel = channel_of(data)
    return not link.channels or channel is None or channel in link.channels
