"""Recorders are nodes of a room's graph: who records, and what of whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import Refused
from midipool.graph.editing import edited
from midipool.graph.graph import Graph, KeptGraph
from midipool.graph.news import graph_of, heard, news_of, whole
from midipool.graph.part import part_of
from midipool.graph.words import graph_in_words
from midipool.messages import HearOnly, LinkNodes, MidiFrom, TimedMidi, UnlinkNodes
from tests.midipool.graph.graphs import NAMES, made, room

TAPE = "recorder bass"
NOTE, DRUM = TimedMidi(0, "903c40"), TimedMidi(0, "99243f")


@pytest.fixture
def graph() -> Graph:
    return room("drums", "bass", "keys").recording("bass", True)


def unlink(source: str, target: str) -> UnlinkNodes:
    return UnlinkNodes(id=1, source=source, target=target)


def test_a_recorder_hears_everybody_also_who_records(graph: Graph) -> None:
    assert graph.nodes[TAPE] == "recorder"
    assert [link.source for link in graph.heard_by(TAPE, "audio")] == ["drums", "bass", "keys"]
    midi = [link.source for link in graph.heard_by(TAPE, "midi")]
    assert midi == ["drums", "bass", "keys", "@click"]
    assert graph.recording("bass", True) is graph
    assert graph.recording("bass", False).nodes == room("drums", "bass", "keys").nodes
    assert f"{TAPE} (recorder)" in graph_in_words(graph)


def test_what_only_a_recorder_hears_is_sent_to_who_records(graph: Graph) -> None:
    graph = edited(graph, unlink("keys", "bass"))
    part = part_of(graph, "bass")
    assert (part.audio_of("keys"), part.taped_of("keys") is not None) == (None, True)
    assert part_of(graph, "keys").audio_to == frozenset(("drums", "bass"))
    assert set(graph.sent_to("keys", "audio")) == {"drums", "bass"}
    graph = edited(graph, unlink("keys", TAPE))
    assert part_of(graph, "keys").audio_to == frozenset(("drums",))
    assert part_of(graph, "keys").midi_to == frozenset(("drums",))
    assert part_of(graph, "bass").taped_of("keys") is None
    # Who is not recorded is heard nevertheless.
    only_heard = edited(graph, LinkNodes(id=1, source="keys", target="bass"))
    part = part_of(only_heard, "bass")
    assert (part.audio_of("keys") is not None, part.taped_of("keys")) == (True, None)


def test_ones_own_sound_is_recorded_until_that_is_cut_also_while_muted(graph: Graph) -> None:
    assert part_of(graph, "bass").audio_to == frozenset(("drums", "keys"))
    muted = graph.entered("bass", "listener")
    for one in (graph, muted):
        tape = part_of(one, "bass").tape
        assert tape is not None
        assert {"bass"} < set(tape.audio) == {"drums", "bass", "keys"}
    tape = part_of(edited(graph, unlink("bass", TAPE)), "bass").tape
    assert tape is not None
    assert set(tape.audio) == set(tape.midi) - {"@click"} == {"drums", "keys"}


def test_midi_is_parted_for_ears_and_recorder(graph: Graph) -> None:
    graph = edited(graph, LinkNodes(id=1, source="drums", target="bass", midi_channels=(10,)))
    graph = edited(graph, unlink("keys", "bass"))
    graph = edited(graph, LinkNodes(id=1, source="keys", target=TAPE, midi_channels=(1,)))
    part = part_of(graph, "bass")
    played = MidiFrom("drums", [NOTE, DRUM])
    assert (part.heard(played).events, part.taped(played)) == ([DRUM], played)
    played = MidiFrom("keys", [NOTE, DRUM], silence=True)
    assert part.heard(played) == MidiFrom("keys", [], silence=True)
    assert part.taped(played).events == [NOTE]
    without = part_of(room("drums", "bass"), "bass")
    assert without.heard(played) is without.taped(played) is played


def test_what_was_said_of_a_recorder_holds_the_next_time(graph: Graph) -> None:
    graph = edited(graph, HearOnly(id=1, target=TAPE, sources=("drums",)))
    again = graph.recording("bass", False).recording("bass", True)
    assert [link.source for link in again.heard_by(TAPE, "audio")] == ["drums"]
    loaded = room("drums", "bass", "keys").with_kept(graph.kept()).recording("bass", True)
    assert list(loaded.links()) == list(again.links())
    assert KeptGraph() != loaded.kept()


def test_a_recorder_goes_with_its_member_and_is_renamed_with_it(graph: Graph) -> None:
    graph = edited(graph, unlink("keys", TAPE))
    other = graph.renamed("bass", "low")
    assert other.recorder("low") == "recorder low"
    assert [link.source for link in other.heard_by("recorder low", "audio")] == ["drums", "low"]
    left = other.left("low")
    assert (set(left.nodes), left.owners) == ({"drums", "keys"}, {})
    assert left.recording("low", True) is left


def test_no_member_is_called_like_a_recorder(graph: Graph) -> None:
    with pytest.raises(Refused, match="begins with 'recorder' is a recorder's"):
        graph.entered("recorder bass 2")
    long = room("a" * 60, "a" * 61).recording("a" * 60, True)
    with pytest.raises(Refused, match="such a long name"):
        long.recording("a" * 61, True)


@given(made, st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), max_size=6))
def test_who_hears_the_news_of_recorders_knows_the_graph(
    graph: Graph, steps: list[tuple[str, bool]]
) -> None:
    known = graph_of(whole(graph))
    for name, is_so in steps:
        after = graph.recording(name, is_so)
        known, graph = heard(known, news_of(graph, after)), after
        assert (known.nodes, known.owners) == (graph.nodes, graph.owners)
        assert set(graph.owners.values()) <= set(graph.nodes)
    assert graph_of(whole(graph)) == graph
