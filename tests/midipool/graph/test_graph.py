"""Who hears whom: what is usual, what people change, and that nothing hears itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.errors import InvalidValue, Refused
from midipool.graph.editing import edited
from midipool.graph.graph import Graph, KeptGraph
from midipool.graph.news import graph_of, heard, news_of, whole
from midipool.graph.nodes import MEDIA
from midipool.graph.part import part_of, passes
from midipool.graph.words import settings_in_words
from midipool.messages import (
    MAX_GROUPS,
    GraphEdit,
    GraphNews,
    Group,
    HearOnly,
    LinkNodes,
    LinkRule,
    ResetGraph,
    RoomGraph,
    SetGroup,
    UnlinkNodes,
    decode_server,
    encode,
)
from tests.midipool.graph.graphs import KINDS, NAMES, done, edits, made, room, steps


def pairs(graph: Graph, medium: str = "audio") -> set[tuple[str, str]]:
    return {(link.source, link.target) for link in graph.links() if link.medium == medium}


def refusal_of(graph: Graph, edit: GraphEdit) -> str:
    with pytest.raises((Refused, InvalidValue)) as refused:
        edited(graph, edit)
    error = refused.value
    return f"{error.code}: {error}" if isinstance(error, Refused) else str(error)


def link(source: str, target: str, **settings: object) -> LinkNodes:
    return LinkNodes(id=1, source=source, target=target, **settings)  # type: ignore[arg-type]


def unlink(source: str, target: str, medium: str | None = None) -> UnlinkNodes:
    return UnlinkNodes(id=1, source=source, target=target, medium=medium)  # type: ignore[arg-type]


def hear(target: str, *sources: str) -> HearOnly:
    return HearOnly(id=1, target=target, sources=sources)


# ---- what is usual ----


@given(st.sets(st.sampled_from(NAMES), min_size=1))
def test_usually_all_players_hear_all_others_and_the_click(names: set[str]) -> None:
    graph = room(*names)
    others = {(a, b) for a in names for b in names if a != b}
    assert pairs(graph) == others
    assert pairs(graph, "midi") == others | {("@click", name) for name in names}


def test_what_gives_nothing_or_takes_nothing_has_no_such_links() -> None:
    graph = room("ada", ear="listener", tape="playback", disk="recorder")
    assert pairs(graph) == {("ada", "ear"), ("ada", "disk")} | {
        ("tape", name) for name in ("ada", "ear", "disk")
    }


def test_a_module_that_only_plays_or_only_hears_closes_no_circle() -> None:
    graph = room("ada", drums="instrument", echo="module", levels="analyzer")
    assert pairs(graph) == {
        *(("drums", name) for name in ("ada", "echo", "levels")),
        *(("ada", name) for name in ("echo", "levels")),
        *(("echo", name) for name in ("ada", "levels")),
    }


def test_modules_hear_players_and_are_heard_but_not_by_one_another() -> None:
    graph = room("ada", fuzz="module", echo="module")
    assert pairs(graph) == {
        ("ada", "fuzz"),
        ("ada", "echo"),
        ("fuzz", "ada"),
        ("echo", "ada"),
    }


# ---- what people change ----


def test_a_link_is_taken_away_and_comes_back() -> None:
    graph = edited(room("drums", "keys"), unlink("drums", "keys"))
    assert pairs(graph) == {("keys", "drums")}
    assert ("drums", "keys") not in pairs(graph, "midi")
    again = edited(graph, link("drums", "keys"))
    assert (again.rules, pairs(again)) == ((), pairs(room("drums", "keys")))


def test_a_gain_is_for_audio_and_what_was_set_before_stays() -> None:
    graph = edited(room("drums", "keys"), link("drums", "keys", gain_db=-6.0))
    assert [rule.medium for rule in graph.rules] == ["audio"]
    graph = edited(graph, link("drums", "keys", audio_channels=(2, 1)))
    made = graph.link("drums", "keys", "audio")
    assert made is not None
    assert (made.gain_db, made.channels) == (-6.0, (1, 2))


def test_a_filter_is_for_audio_and_can_be_switched_off() -> None:
    graph = edited(room("drums", "keys"), link("drums", "keys", high_pass_hz=80.0))
    assert [rule.medium for rule in graph.rules] == ["audio"]
    graph = edited(graph, link("drums", "keys", low_pass_hz=8000.0, gain_db=-6.0))
    made = graph.link("drums", "keys", "audio")
    assert made is not None
    assert (made.gain_db, made.high_pass_hz, made.low_pass_hz) == (-6.0, 80.0, 8000.0)
    assert settings_in_words(made) == " (-6 dB, above 80 Hz, below 8 kHz)"
    renamed = graph.renamed("drums", "kit").link("kit", "keys", "audio")
    assert renamed is not None
    assert renamed.low_pass_hz == 8000.0
    off = link("drums", "keys", high_pass_hz=0.0, low_pass_hz=0.0, gain_db=0.0)
    assert edited(graph, off).rules == ()


def test_who_hears_only_the_click_hears_nobody_who_joins_later() -> None:
    graph = edited(room("drums", "keys"), hear("drums", "@click")).entered("bass")
    assert {s for s, t in pairs(graph) | pairs(graph, "midi") if t == "drums"} == {"@click"}
    assert ("drums", "bass") in pairs(graph)
    assert edited(graph, hear("drums", "@all")).rules == ()


def test_links_of_a_group_hold_for_whoever_is_in_it() -> None:
    graph = edited(
        room("drums", "bass", "keys"), SetGroup(id=1, name="@rhythm", members=("drums",))
    )
    graph = edited(graph, link("@rhythm", "keys", gain_db=-3.0))
    graph = edited(graph, SetGroup(id=1, name="@rhythm", members=("drums", "bass")))
    for name in ("drums", "bass"):
        made = graph.link(name, "keys", "audio")
        assert made is not None
        assert made.gain_db == -3.0
    gone = edited(graph, SetGroup(id=1, name="@rhythm", members=()))
    assert (gone.rules, dict(gone.groups)) == ((), {})


def test_what_is_said_last_holds() -> None:
    graph = edited(room("a", "b", "c"), unlink("a", "b"))
    graph = edited(graph, link("@all", "b", gain_db=-6.0))
    assert pairs(graph) == pairs(room("a", "b", "c"))
    graph = edited(graph, unlink("c", "b", "audio"))
    assert pairs(graph) == pairs(room("a", "b", "c")) - {("c", "b")}
    assert ("c", "b") in pairs(graph, "midi")


def test_a_player_who_returns_has_its_links_again() -> None:
    graph = edited(room("drums", "keys"), unlink("drums", "keys"))
    assert pairs(graph.left("drums").entered("drums")) == {("keys", "drums")}


def test_a_player_who_comes_back_under_another_name_keeps_its_links_and_groups() -> None:
    graph = edited(room("drums", "keys"), unlink("drums", "keys"))
    graph = edited(graph, SetGroup(id=1, name="@rhythm", members=("drums",)))
    graph = graph.renamed("drums", "Drums")
    assert pairs(graph) == {("keys", "Drums")}
    assert graph.groups["@rhythm"] == ("Drums",)


def test_midi_gets_through_by_channel_and_kind() -> None:
    asked = link("keys", "drums", midi_channels=(10,), midi_kinds=("notes",))
    graph = edited(room("drums", "keys"), asked)
    made = graph.link("keys", "drums", "midi")
    assert made is not None
    assert passes(made, bytes((0x99, 60, 64)))
    assert not passes(made, bytes((0x90, 60, 64)))
    assert not passes(made, bytes((0xB9, 7, 64)))
    assert ("keys", "drums") in pairs(graph)


def test_a_member_knows_its_own_part() -> None:
    graph = edited(room("drums", "keys", "bass"), hear("drums", "@click", "bass"))
    part = part_of(edited(graph, unlink("@click", "keys")), "drums")
    assert part.hears_audio is not None
    assert set(part.hears_audio) == {"bass"}
    assert part.click
    assert part.audio_to == frozenset(("keys", "bass"))
    assert not part_of(edited(graph, unlink("@click", "keys")), "keys").click
    assert not part_of(edited(graph, unlink("drums", "@all")), "drums").plays_to_somebody


# ---- circles ----


def test_a_circle_is_refused_with_the_way_around() -> None:
    graph = room("ada", fuzz="module", echo="module", gate="module")
    graph = edited(edited(graph, link("fuzz", "echo")), link("echo", "gate"))
    said = refusal_of(graph, link("gate", "fuzz"))
    assert said == "circle: this would close a circle: gate → fuzz → echo → gate"
    assert "fuzz → fuzz" in refusal_of(graph, link("fuzz", "fuzz"))


def test_a_circle_of_audio_one_way_and_midi_the_other_is_one() -> None:
    graph = edited(room(fuzz="module", echo="module"), link("fuzz", "echo", medium="audio"))
    assert "circle" in refusal_of(graph, link("echo", "fuzz", medium="midi"))


def test_two_players_who_hear_one_another_close_none() -> None:
    graph = edited(room("ada", fuzz="module"), link("ada", "fuzz", gain_db=-6.0))
    edited(graph, link("fuzz", "ada", gain_db=-6.0))


def test_players_who_turn_out_to_be_modules_lose_the_link_that_closes_a_circle() -> None:
    graph = edited(room("fuzz", "echo"), link("fuzz", "echo", gain_db=-6.0))
    graph = edited(graph, link("echo", "fuzz", gain_db=-6.0))
    graph = graph.entered("fuzz", "module").entered("echo", "module")
    assert pairs(graph) == {("fuzz", "echo")}


def sounds_like_itself(graph: Graph) -> bool:
    """Whether something that passes on what it hears hears itself, by whatever way."""
    wires = {(link.source, link.target) for link in graph.links()}
    through = {n for n in graph.nodes if graph.passes_on(n)}
    wires = {(a, b) for a, b in wires if a in through and b in through}
    while wires:
        ends = {a for a, b in wires} - {b for a, b in wires}
        if not ends:
            return True
        wires = {(a, b) for a, b in wires if a not in ends}
    return False


@settings(max_examples=300)
@given(steps)
def test_whatever_is_asked_for_nothing_ever_hears_itself(asked: list[object]) -> None:
    graph = Graph()
    for step in asked:
        graph = done(graph, step)  # type: ignore[arg-type]
        assert all(link.source != link.target for link in graph.links())
        assert not sounds_like_itself(graph)


modules = st.sampled_from(NAMES[:4])


@given(st.lists(st.tuples(modules, modules, st.sampled_from(MEDIA)), max_size=20))
def test_modules_linked_at_random_never_hear_themselves(
    wires: list[tuple[str, str, object]],
) -> None:
    graph = room(**dict.fromkeys(NAMES[:4], "module"))  # type: ignore[arg-type]
    for source, target, medium in wires:
        before, graph = graph, done(graph, link(source, target, medium=medium))
        assert not sounds_like_itself(graph)
        linked = pairs(graph) | pairs(graph, "midi")
        if graph is before and source != target and (source, target) not in linked:
            assert before.circle(source, target)


# ---- the same everywhere ----


@given(made, st.lists(edits, max_size=4), st.sampled_from(NAMES), st.sampled_from(KINDS))
def test_who_hears_the_news_knows_the_graph(
    graph: Graph, asked: list[GraphEdit], name: str, kind: object
) -> None:
    after = graph
    for edit in asked:
        after = done(after, edit)
    after = after.entered(name, kind) if kind in KINDS else after.left(name)
    told = decode_server(encode(news_of(graph, after)))
    assert isinstance(told, GraphNews)
    assert heard(graph, told) == after
    all_of_it = decode_server(encode(whole(after)))
    assert isinstance(all_of_it, RoomGraph)
    assert graph_of(all_of_it) == after


@given(made)
def test_what_is_kept_makes_the_same_graph_again(graph: Graph) -> None:
    new = Graph()
    for name, kind in graph.nodes.items():
        new = new.entered(name, kind)
    again = new.with_kept(graph.kept())
    assert list(again.links()) == list(graph.links())
    assert again.kept() == graph.kept()


@given(made, edits)
def test_what_is_refused_changes_nothing_and_what_is_done_is_not_done_twice(
    graph: Graph, edit: GraphEdit
) -> None:
    after = done(graph, edit)
    if after is graph:
        return
    assert after.revision == graph.revision + 1
    if isinstance(edit, LinkNodes | UnlinkNodes):
        with pytest.raises((Refused, InvalidValue)):
            edited(after, edit)


# ---- what is wrong ----


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (link("drums", "nobody"), "no_such_node: nobody is called 'nobody' here: drums, keys"),
        (unlink("ghost", "keys"), "no_such_node: nobody is called 'ghost'"),
        (hear("keys", "ghost"), "no_such_node"),
        (SetGroup(id=1, name="@g", members=("ghost",)), "no_such_node"),
        (SetGroup(id=1, name="@g", members=()), "no_such_node: there is no group @g"),
        (link("drums", "drums"), "target: a node does not hear itself"),
        (link("drums", "tape"), "target: tape takes no MIDI: a recording that is played"),
        (link("ear", "drums"), "source: ear gives no MIDI: a listener, who only hears"),
        (link("drums", "@click"), "target: the click takes no MIDI: the click"),
        (link("@click", "drums", gain_db=-3.0), "source: the click gives no audio: the click"),
        (link("drums", "keys"), "link_exists: keys hears drums already, and as you say"),
        (link("drums", "keys", medium="midi", gain_db=-3.0), "gain_db: is for audio"),
        (link("drums", "keys", medium="midi", low_pass_hz=99.0), "low_pass_hz: is for audio"),
        (link("drums", "keys", high_pass_hz=19.0), "high_pass_hz: must be 20 Hz to 20 kHz"),
        (link("drums", "keys", low_pass_hz=50.0, high_pass_hz=80.0), "must be above high_pass_hz"),
        (unlink("tape", "drums", "midi"), "no_such_link: drums does not hear tape as it is"),
        (ResetGraph(id=1), ""),
    ],
)
def test_what_cannot_be_done_says_why(edit: GraphEdit, words: str) -> None:
    graph = room("drums", "keys", tape="playback", ear="listener")
    graph = edited(graph, unlink("tape", "drums", "midi"))
    if not words:
        assert edited(graph, edit).rules == ()
        return
    assert words in refusal_of(graph, edit)


def test_a_name_like_a_groups_is_refused() -> None:
    with pytest.raises(Refused, match="begins with @"):
        Graph().entered("@rhythm")


def test_what_there_may_be_of_is_bounded() -> None:
    graph = room("ada")
    for number in range(MAX_GROUPS):
        graph = edited(graph, SetGroup(id=1, name=f"@g{number}", members=("ada",)))
    assert "graph_full" in refusal_of(graph, SetGroup(id=1, name="@more", members=("ada",)))


def test_rules_that_come_from_elsewhere_are_looked_at() -> None:
    with pytest.raises(InvalidValue, match="channels"):
        LinkRule("a", "b", "audio", channels=(5,))
    with pytest.raises(InvalidValue, match="gain_db"):
        LinkRule("a", "b", "midi", gain_db=3.0)
    with pytest.raises(InvalidValue, match="low_pass_hz"):
        LinkRule("a", "b", "midi", low_pass_hz=300.0)
    circle = KeptGraph(
        (Group("@g", ("fuzz",)),),
        (LinkRule("fuzz", "echo", "audio"), LinkRule("echo", "fuzz", "audio")),
    )
    graph = room(fuzz="module", echo="module").with_kept(circle)
    assert pairs(graph) == {("fuzz", "echo")}
