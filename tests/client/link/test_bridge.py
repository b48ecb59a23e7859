"""A room between Link sessions, on virtual time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.messages import (
    SetTempo,
    Start,
    Stop,
)
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

from .simulation import MS, SECOND, Lan, SimRoom, held, run

MEETING_NS = 3 * SECOND
HELD_US = 1000


class TestMeeting:
    def test_a_session_comes_to_the_tempo_and_the_bars_of_a_room_that_plays(
        self, room: SimRoom
    ) -> None:
        lan = Lan(room, bpm=100)
        run([lan], MEETING_NS)
        assert lan.session.bpm == pytest.approx(133.7, abs=0.001)
        assert held([lan], 60 * SECOND) < HELD_US
        assert room.asked == []

    def test_it_is_moved_once_and_not_again(self, room: SimRoom) -> None:
        lan = Lan(room, bpm=100)
        run([lan], 60 * SECOND)
        assert len(lan.session.set_at_us) == 1

    def test_a_room_that_nobody_has_set_takes_the_tempo_of_the_session(self) -> None:
        room = SimRoom()
        lan = Lan(room, bpm=130)
        run([lan], MEETING_NS)
        assert room.timeline.mbpm == 130_000
        assert lan.session.bpm == pytest.approx(130, abs=0.001)
        assert not room.timeline.playing

    def test_the_session_wins_if_it_is_told_to(self, room: SimRoom) -> None:
        room.conduct(Stop(id=3))
        run([lan := Lan(room, "session-wins", bpm=98.5)], MEETING_NS)
        assert room.timeline.mbpm == 98_500
        assert lan.session.bpm == pytest.approx(98.5, abs=0.001)
        assert not room.timeline.playing

    def test_a_session_that_wins_and_plays_starts_the_room_on_its_bars(self) -> None:
        room = SimRoom()
        lan = Lan(room, "session-wins", bpm=98.5)
        lan.session.play(True, lan.link_us - 7e6)
        before = lan.session.beat_zero_us
        run([lan], MEETING_NS)
        assert room.timeline.playing
        assert held([lan], 10 * SECOND) < HELD_US
        assert lan.session.beat_zero_us == pytest.approx(before, abs=2000)

    @pytest.mark.parametrize("plays", [False, True])
    @pytest.mark.parametrize("session_plays", [False, True])
    def test_meeting_starts_and_stops_nobody(self, plays: bool, session_plays: bool) -> None:
        room = SimRoom()
        room.conduct(Start(id=1) if plays else SetTempo(id=1, bpm=90))
        room.now_ns += SECOND
        lan = Lan(room)
        lan.session.play(session_plays, lan.link_us - 3e6)
        run([lan], 10 * SECOND)
        assert (room.timeline.playing, lan.session.playing) == (plays, session_plays)

    def test_what_was_started_before_we_met_is_no_command_when_it_is_heard_late(
        self, room: SimRoom
    ) -> None:
        room.conduct(Stop(id=3))
        lan = Lan(room)
        started_us = lan.link_us - 60e6
        run([lan], MEETING_NS)
        lan.session.play(True, started_us)
        run([lan], SECOND)
        assert room.asked == []

    def test_who_starts_or_stops_while_the_meeting_settles_is_heard(self) -> None:
        lan = Lan(SimRoom(), peers=0)
        run([lan], MEETING_NS)
        lan.session.peers = 1
        run([lan], 200 * MS)
        lan.session.play(True, lan.link_us)
        run([lan], 5 * SECOND)
        assert lan.room.timeline.playing
        lan.session.peers = 0
        run([lan], SECOND)
        lan.session.peers = 1
        run([lan], 200 * MS)
        lan.session.play(False, lan.link_us)
        run([lan], SECOND)
        assert not lan.room.timeline.playing

    def test_alone_it_keeps_the_session_as_the_room_is(self, room: SimRoom) -> None:
        lan = Lan(room, peers=0)
        run([lan], MEETING_NS)
        assert lan.session.playing
        assert lan.session.bpm == pytest.approx(133.7, abs=0.001)
        changes = len(lan.session.set_at_us)
        lan.session.peers = 1
        run([lan], MEETING_NS)
        assert len(lan.session.set_at_us) == changes, "a peer that joined us was disturbed"

    def test_an_older_session_that_is_found_later_is_not_taken_for_a_tempo_change(
        self, room: SimRoom
    ) -> None:
        lan = Lan(room, peers=0)
        run([lan], MEETING_NS)
        lan.session.set_tempo(90, 0)
        run([lan], 20 * MS)
        lan.session.peers = 2
        run([lan], MEETING_NS)
        assert room.asked == []
        assert lan.session.bpm == pytest.approx(133.7, abs=0.001)
        assert abs(lan.off_us()) < HELD_US

    def test_a_session_that_wins_does_so_too_when_it_is_found_later(self) -> None:
        room = SimRoom()
        room.conduct(SetTempo(id=1, bpm=120))
        lan = Lan(room, "session-wins", peers=0)
        run([lan], MEETING_NS)
        lan.session.set_tempo(90, 0)
        run([lan], 20 * MS)
        lan.session.peers = 2
        run([lan], MEETING_NS)
        assert room.tempi() == [90]
        assert lan.session.bpm == pytest.approx(90, abs=0.001)

    def test_the_session_wins_only_once(self) -> None:
        room = SimRoom()
        lan = Lan(room, "session-wins", bpm=100)
        run([lan], MEETING_NS)
        lan.session.peers = 0
        run([lan], SECOND)
        lan.session.set_tempo(77, lan.link_us)
        lan.session.peers = 1
        run([lan], MEETING_NS)
        assert room.tempi() == [100]
        assert lan.session.bpm == pytest.approx(100, abs=0.001)


@settings(max_examples=60, deadline=None)
@given(
    events=st.lists(
        st.one_of(
            st.tuples(st.just("tempo"), st.floats(20, 999)),
            st.tuples(st.just("play"), st.booleans()),
            st.tuples(st.just("peers"), st.integers(0, 2)),
            st.tuples(st.just("room tempo"), st.floats(20, 999)),
            st.tuples(st.just("room play"), st.booleans()),
            st.tuples(st.just("refuse"), st.booleans()),
            st.tuples(st.just("wait"), st.integers(20, 1500)),
        ),
        max_size=12,
    ),
    ppm=st.floats(-200, 200),
)
def test_whatever_happens_both_agree_in_the_end(
    events: list[tuple[str, float]], ppm: float
) -> None:
    room = SimRoom()
    room.conduct(SetTempo(id=1, bpm=120))
    lan = Lan(room, ppm=ppm)
    run([lan], MEETING_NS)
    for what, value in events:
        match what:
            case "tempo":
                lan.session.set_tempo(value, lan.link_us)
            case "play":
                lan.session.play(bool(value), lan.link_us)
            case "peers":
                lan.session.peers = int(value)
            case "room tempo":
                room.conduct(SetTempo(id=2, bpm=value))
            case "room play":
                room.conduct(Start(id=2) if value else Stop(id=2))
            case "refuse":
                room.refuse = lambda command, no=bool(value): no  # type: ignore[misc]
        run([lan], round(value) * MS if what == "wait" else 20 * MS)
    run([lan], 20 * SECOND)
    asked = len(room.asked)
    assert lan.session.bpm == pytest.approx(room.timeline.mbpm / 1000, rel=4e-4)
    if room.timeline.playing:
        assert held([lan], 5 * SECOND) < HELD_US
    assert len(room.asked) == asked, "they never come to rest"


def test_a_room_that_begins_anew_is_followed(room: SimRoom) -> None:
    lan = Lan(room)
    run([lan], MEETING_NS)
    anew = Timeline(room.now_us, 0, True, 100_000, revision=1, epoch=1)
    room.chain = TimelineChain((anew,))
    run([lan], SECOND)
    assert lan.session.bpm == pytest.approx(100, abs=0.001)
    assert abs(lan.off_us()) < HELD_US
