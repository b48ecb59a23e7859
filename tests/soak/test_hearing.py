"""Who hears whom the graph says not is noticed, and who does not hear whom it says."""

from midipool.graph.graph import Graph
from midipool.messages import LinkRule
from tests.soak.hearing import LATE_US, NOTE_COMES_US, SOUND_COMES_US, NoteWatch, SoundWatch
from tests.soak.truth import GraphTruth
from tests.soak.violation import Calm

S = 1_000_000
NODES = {"a": "player", "b": "player", "observer": "player"}
USUAL = Graph(nodes=NODES)  # type: ignore[arg-type]
APART = USUAL.with_rules(
    (LinkRule("@all", "b", "audio", linked=False), LinkRule("@all", "b", "midi", linked=False))
)
LOUD, SILENT = -6.0, -90.0


def truth(*graphs: tuple[int, Graph]) -> GraphTruth:
    made = GraphTruth()
    for at_us, graph in graphs:
        made.learn(graph, at_us)
    return made


class TestSound:
    def watch(self, calm: Calm | None = None, *more: tuple[int, Graph]) -> SoundWatch:
        return SoundWatch(truth((0, USUAL), *more), calm or Calm())

    def test_who_is_linked_is_heard(self) -> None:
        watch = self.watch()
        assert watch.take(5 * S, "b", {"a": LOUD, "b": LOUD}) == []
        assert watch.heard == 1

    def test_who_is_not_must_not_be_but_for_what_was_on_its_way(self) -> None:
        watch = self.watch(None, (10 * S, APART))
        assert watch.take(10 * S + LATE_US - 1, "b", {"a": LOUD}) == []
        [violation] = watch.take(10 * S + LATE_US + 1, "b", {"a": LOUD})
        assert violation.invariant == "heard though not linked"
        assert "a" in violation.seen
        assert watch.take(20 * S, "b", {"a": LOUD}) == []  # told once
        assert watch.take(20 * S, "a", {"b": LOUD}) == []

    def test_it_is_no_excuse_that_something_was_done(self) -> None:
        calm = Calm()
        calm.excuse("b", 0, 99 * S)
        assert self.watch(calm, (1 * S, APART)).take(10 * S, "b", {"a": LOUD})

    def test_who_is_linked_and_silent_for_long_is_missed(self) -> None:
        watch = self.watch()
        watch.take(1 * S, "b", {"a": LOUD})
        assert watch.take(SOUND_COMES_US, "b", {"a": SILENT}) == []
        [violation] = watch.take(SOUND_COMES_US + 2 * S, "b", {"a": SILENT})
        assert violation.invariant == "linked but not heard"

    def test_not_where_something_was_done(self) -> None:
        for who in ("a", "b", "server", "line"):
            calm = Calm()
            calm.excuse(who, 20 * S, 21 * S)
            assert self.watch(calm).take(SOUND_COMES_US + 2 * S, "b", {"a": SILENT}) == []

    def test_nor_where_the_link_is_new(self) -> None:
        watch = self.watch(None, (10 * S, APART), (20 * S, USUAL))
        assert watch.take(SOUND_COMES_US + 2 * S, "b", {"a": SILENT}) == []


class TestNotes:
    def watch(self, calm: Calm | None = None, *more: tuple[int, Graph]) -> NoteWatch:
        return NoteWatch("observer", truth((0, USUAL), *more), calm or Calm())

    def test_a_note_that_comes_is_right(self) -> None:
        watch = self.watch()
        watch.play(10 * S, 60)
        assert watch.take(10 * S + 5_000, "a", 60) == []
        assert watch.take(10 * S + 5_000, "b", 60) == []
        assert watch.look(10 * S + NOTE_COMES_US, ["a", "b"]) == []
        assert watch.heard == 2

    def test_one_that_does_not_come_is_missed_in_time(self) -> None:
        watch = self.watch()
        watch.play(10 * S, 60)
        assert watch.take(10 * S + 5_000, "a", 60) == []
        assert watch.look(10 * S + NOTE_COMES_US - 1, ["a", "b"]) == []
        [violation] = watch.look(10 * S + NOTE_COMES_US, ["a", "b"])
        assert (violation.invariant, violation.who) == ("linked but not heard", "b")

    def test_one_to_who_is_not_linked_must_not_come(self) -> None:
        watch = self.watch(None, (5 * S, APART))
        watch.play(10 * S, 60)
        [violation] = watch.take(10 * S, "b", 60)
        assert violation.invariant == "heard though not linked"
        assert watch.look(10 * S + NOTE_COMES_US, ["b"]) == []

    def test_nothing_is_missed_of_who_is_excused(self) -> None:
        calm = Calm()
        calm.away("b", 9 * S)
        watch = self.watch(calm)
        watch.play(10 * S, 60)
        assert watch.look(10 * S + NOTE_COMES_US, ["b"]) == []
