"""Timelines that take over from one another."""

from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain


class TestChain:
    chain = TimelineChain((Timeline(origin_time_us=0), Timeline(origin_time_us=10, revision=1)))

    def test_each_holds_from_its_origin_on(self) -> None:
        assert [self.chain.at(us).revision for us in (-5, 0, 9, 10, 11)] == [0, 0, 0, 1, 1]

    def test_spans_leave_no_gap(self) -> None:
        chain = self.chain.then(Timeline(origin_time_us=10**6, revision=2))
        spans = list(chain.spans(5))
        assert [(t.revision, start, end) for t, start, end in spans] == [
            (0, 5, 10),
            (1, 10, 10**6),
            (2, 10**6, None),
        ]

    def test_spans_begin_where_one_looks(self) -> None:
        assert [(t.revision, start) for t, start, _ in self.chain.spans(10)] == [(1, 10)]

    def test_a_newer_one_ends_what_was_planned_for_later(self) -> None:
        chain = self.chain.then(Timeline(origin_time_us=5, revision=2))
        assert [t.revision for t in chain.timelines] == [0, 2]
        assert chain.revision == 2
        assert chain.last.revision == 2

    def test_what_is_over_is_forgotten(self) -> None:
        assert self.chain.since(9) == self.chain
        assert [t.revision for t in self.chain.since(10).timelines] == [1]
        assert self.chain.since(-100) == self.chain

    def test_it_moves_as_a_whole(self) -> None:
        moved = self.chain.moved_by(100)
        assert [t.origin_time_us for t in moved.timelines] == [100, 110]
