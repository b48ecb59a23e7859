"""A room between Link sessions, on virtual time."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.messages import (
    Continue,
    Locate,
    SetLoop,
    SetMeter,
    SetTempo,
    Start,
    Stop,
)
from midipool.meter import Loop, Meter, Position
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

from .simulation import MS, SECOND, Lan, SimRoom, run

MEETING_NS = 3 * SECOND
HELD_US = 1000


@pytest.fixture
def room() -> SimRoom:
    """A room that plays at 133.7 BPM in 4/4, and that somebody has set."""
    made = SimRoom()
    made.conduct(SetTempo(id=1, bpm=133.7))
    made.conduct(Start(id=2))
    made.now_ns += 5 * SECOND
    return made


def held(lans: list[Lan], ns: int) -> float:
    """The most that any session is off while time passes, in µs."""
    worst = 0.0

    def look() -> None:
        nonlocal worst
        worst = max(worst, *(abs(lan.off_us()) for lan in lans))

    run(lans, ns, look)
    return worst


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


class TestTempo:
    def test_of_a_peer_goes_to_the_room_and_to_the_other_network(self, room: SimRoom) -> None:
        lans = [Lan(room, ppm=30), Lan(room, ppm=-50)]
        run(lans, MEETING_NS)
        lans[0].session.set_tempo(141.25, lans[0].link_us)
        run(lans, 2 * SECOND)
        assert room.tempi() == [141.25]
        assert lans[1].session.bpm == pytest.approx(141.25, rel=1e-4)
        assert held(lans, 30 * SECOND) < HELD_US

    def test_on_its_way_to_the_room_is_left_alone(self, room: SimRoom) -> None:
        lan = Lan(room)
        run([lan], MEETING_NS)
        changes = len(lan.session.set_at_us)
        lan.session.set_tempo(90, lan.link_us)
        run([lan], 140 * MS)
        assert len(lan.session.set_at_us) == changes
        run([lan], 100 * MS)
        assert abs(lan.off_us()) < HELD_US

    def test_of_the_room_may_change_twice_in_a_moment(self, room: SimRoom) -> None:
        lan = Lan(room)
        run([lan], MEETING_NS)
        for bpm in (60, 90):
            room.conduct(SetTempo(id=9, bpm=bpm))
            run([lan], 100 * MS)
        run([lan], 80 * MS)
        assert held([lan], SECOND) < 20

    def test_of_the_room_is_exact_from_its_instant_on(self, room: SimRoom) -> None:
        lan = Lan(room)
        run([lan], MEETING_NS)
        room.conduct(SetTempo(id=9, bpm=60))
        run([lan], 200 * MS)
        assert held([lan], 10 * SECOND) < 20
        assert room.asked == []

    def test_ramps_are_followed(self, room: SimRoom) -> None:
        lan = Lan(room)
        run([lan], MEETING_NS)
        room.conduct(SetTempo(id=9, bpm=240, ramp_bars=2))
        assert held([lan], 10 * SECOND) < HELD_US
        assert lan.session.bpm == pytest.approx(240, abs=0.01)
        assert room.asked == []

    def test_a_refused_tempo_is_taken_back(self, room: SimRoom) -> None:
        lan = Lan(room)
        run([lan], MEETING_NS)
        room.refuse = lambda command: True
        lan.session.set_tempo(90, lan.link_us)
        run([lan], SECOND)
        assert lan.session.bpm == pytest.approx(133.7, abs=0.001)
        assert abs(lan.off_us()) < HELD_US
        assert len(room.asked) == 1

    def test_a_room_that_does_not_answer_counts_as_refusing(self, room: SimRoom) -> None:
        lan = Lan(room)
        run([lan], MEETING_NS)
        room.ask = lambda command, answer: None  # type: ignore[method-assign]
        lan.session.set_tempo(90, lan.link_us)
        run([lan], 4 * SECOND)
        assert lan.session.bpm == pytest.approx(133.7, abs=0.001)

    def test_an_app_that_writes_the_rounded_tempo_back_is_not_heeded(self, room: SimRoom) -> None:
        lan = Lan(room, ppm=40)
        run([lan], MEETING_NS)
        lan.session.set_tempo(133.7, lan.link_us)
        assert held([lan], 30 * SECOND) < HELD_US
        assert room.asked == []

    def test_a_peer_that_jumps_is_slowed_down_and_its_last_value_wins(self, room: SimRoom) -> None:
        lan = Lan(room)
        run([lan], MEETING_NS)
        began_us, jumps = room.now_us, iter([20, 999, 61.5, 300] * 100)

        def jump() -> None:
            lan.session.set_tempo(next(jumps), lan.link_us)

        run([lan], 4 * SECOND, jump)
        lan.session.set_tempo(150.5, lan.link_us)
        run([lan], 2 * SECOND)
        seconds = (room.now_us - began_us) / 1e6
        assert len(room.asked) <= 4 * seconds + 1
        assert room.timeline.mbpm == 150_500
        assert lan.session.bpm == pytest.approx(150.5, abs=0.01)
        assert held([lan], 5 * SECOND) < HELD_US
        assert len(lan.notes) == 1

    @pytest.mark.parametrize("bpm", [20, 999])
    def test_the_ends_of_links_range_are_the_rooms(self, room: SimRoom, bpm: float) -> None:
        lan = Lan(room, ppm=200)
        run([lan], MEETING_NS)
        lan.session.set_tempo(bpm, lan.link_us)
        run([lan], 2 * SECOND)
        assert room.timeline.mbpm == bpm * 1000
        assert held([lan], 30 * SECOND) < HELD_US

    @settings(max_examples=50, deadline=None)
    @given(mbpm=st.integers(20_000, 500_000), ppm=st.floats(-200, 200))
    def test_every_tempo_of_a_room_comes_back_as_itself(self, mbpm: int, ppm: float) -> None:
        room = SimRoom()
        room.conduct(SetTempo(id=1, bpm=mbpm / 1000))
        run([lan := Lan(room, bpm=100, ppm=ppm)], MEETING_NS)
        assert lan.session.bpm == pytest.approx(mbpm / 1000, rel=3e-4)
        assert room.asked == []


class TestTransport:
    def test_a_start_on_link_is_beat_1_of_the_room_on_links_next_bar_line(self) -> None:
        room = SimRoom()
        here, there = Lan(room, bpm=120), Lan(room, ppm=80)
        run([here, there], MEETING_NS)
        zero_us = here.session.beat_zero_us
        here.session.play(True, here.link_us)
        pressed_us = room.now_us
        run([here, there], 5 * SECOND)
        starts = [c for c in room.asked if isinstance(c, Start)]
        assert len(starts) == 1
        assert starts[0].since is not None
        assert pressed_us - 20_000 <= starts[0].since < pressed_us + 2_000_000
        assert room.timeline.playing
        assert there.session.playing
        assert here.session.beat_zero_us == pytest.approx(zero_us, abs=5), "its own bars moved"
        assert held([here, there], 10 * SECOND) < HELD_US

    def test_a_start_right_before_a_bar_line_is_on_that_line(self) -> None:
        room = SimRoom()
        lan = Lan(room)
        run([lan], MEETING_NS)
        line_us = lan.link_us + 5000
        lan.session.beat_zero_us = line_us - 10 * 2_000_000
        lan.session.play(True, lan.link_us)
        due_us = room.now_us + 5000
        run([lan], SECOND)
        assert isinstance(room.asked[0], Start)
        assert room.asked[0].since == pytest.approx(due_us, abs=5)

    def test_a_start_that_we_announced_is_no_wish_of_a_peer(self) -> None:
        room = SimRoom()
        run([lan := Lan(room)], MEETING_NS)
        room.conduct(Start(id=1))
        run([lan], 20 * MS)
        assert lan.session.playing
        room.conduct(Stop(id=2))
        run([lan], 2 * SECOND)
        assert room.asked == []
        assert not lan.session.playing

    def test_a_stop_on_link_stops_the_room_and_the_other_network(self, room: SimRoom) -> None:
        here, there = Lan(room), Lan(room)
        run([here, there], MEETING_NS)
        for lan in (here, there):
            lan.session.play(True, lan.link_us)
        run([here, there], 3 * SECOND)
        here.session.play(False, here.link_us)
        run([here, there], SECOND)
        assert not room.timeline.playing
        assert not there.session.playing
        assert [type(c) for c in room.asked] == [Stop]

    def test_a_start_of_the_room_is_on_link_before_its_instant(self, room: SimRoom) -> None:
        room.conduct(Stop(id=3))
        lan = Lan(room, ppm=-120)
        run([lan], MEETING_NS)
        start = room.conduct(Start(id=4))
        run([lan], 40 * MS)
        assert lan.session.playing
        early_us = lan.clock_map.local_at(start.origin_time_us * 1000) // 1000
        assert lan.session.playing_since_us == pytest.approx(early_us, abs=2)
        run([lan], 120 * MS)
        assert held([lan], 20 * SECOND) < HELD_US
        assert room.asked == []

    def test_a_stop_and_a_continue_of_the_room_reach_link(self, room: SimRoom) -> None:
        lan = Lan(room)
        run([lan], MEETING_NS)
        lan.session.play(True, lan.link_us)
        run([lan], SECOND)
        room.conduct(Stop(id=3))
        run([lan], SECOND)
        assert not lan.session.playing
        room.conduct(Continue(id=4))
        run([lan], SECOND)
        assert lan.session.playing
        assert abs(lan.off_us()) < HELD_US
        assert room.asked == []

    def test_a_peer_that_joins_in_does_not_restart_a_room_that_plays(self, room: SimRoom) -> None:
        lan = Lan(room)
        run([lan], MEETING_NS)
        lan.session.play(True, lan.link_us)
        run([lan], 3 * SECOND)
        assert room.asked == []

    @pytest.mark.parametrize("playing", [True, False])
    def test_what_the_room_refuses_is_taken_back(self, room: SimRoom, playing: bool) -> None:
        lan = Lan(room)
        if playing:
            room.conduct(Stop(id=3))
        else:
            lan.session.play(True, lan.link_us)
        run([lan], MEETING_NS)
        room.refuse = lambda command: True
        lan.session.play(playing, lan.link_us)
        run([lan], 4 * SECOND)
        assert len(room.asked) == 1
        assert lan.session.playing is not playing

    def test_a_start_that_comes_too_late_starts_nothing_anew(self, room: SimRoom) -> None:
        room.conduct(Stop(id=3))
        lan = Lan(room)
        run([lan], MEETING_NS)
        ask = room.ask

        def ask_late(command, answer) -> None:  # type: ignore[no-untyped-def]
            room.conduct(Start(id=4))  # somebody else was faster
            ask(command, answer)

        room.ask = ask_late  # type: ignore[method-assign]
        lan.session.play(True, lan.link_us)
        run([lan], 5 * SECOND)
        assert room.timeline.playing
        assert room.timeline.epoch == 3
        assert lan.session.playing
        assert abs(lan.off_us()) < HELD_US

    def test_a_start_that_is_called_off_before_its_bar_line_starts_nobody(self) -> None:
        room = SimRoom()
        room.conduct(SetTempo(id=1, bpm=20))
        here, there = Lan(room), Lan(room)
        run([here, there], MEETING_NS)
        here.session.play(True, here.link_us)
        run([here, there], SECOND)
        assert there.session.playing
        here.session.play(False, here.link_us)
        run([here, there], SECOND)
        assert [type(c) for c in room.asked] == [Start, Stop]
        assert not there.session.playing
        run([here, there], 15 * SECOND)
        assert not room.timeline.playing
        assert not here.session.playing

    def test_a_start_that_the_room_calls_off_is_taken_back_on_link(self) -> None:
        room = SimRoom()
        room.conduct(SetTempo(id=1, bpm=20))
        lan = Lan(room)
        run([lan], MEETING_NS)
        lan.session.play(True, lan.link_us)
        run([lan], SECOND)
        room.conduct(Stop(id=2))
        run([lan], SECOND)
        assert not lan.session.playing

    def test_a_start_far_ahead_is_kept_on_its_bar_line(self) -> None:
        room = SimRoom()
        lan = Lan(room, ppm=150)
        run([lan], MEETING_NS)
        lan.map_error_ns = 8 * MS
        start = room.conduct(Start(id=1, since=room.now_us + 30_000_000))
        run([lan], 10 * SECOND)
        assert lan.session.playing
        lan.map_error_ns = 0  # the clock is known better now
        run([lan], (start.origin_time_us - room.now_us) * 1000)
        assert held([lan], 5 * SECOND) < 500

    def test_pressing_start_and_stop_wildly_ends_with_what_was_pressed_last(self) -> None:
        room = SimRoom()
        lan = Lan(room)
        run([lan], MEETING_NS)

        def press() -> None:
            lan.session.play(not lan.session.playing, lan.link_us)

        run([lan], 4 * SECOND, press)
        lan.session.play(False, lan.link_us)
        run([lan], 5 * SECOND)
        assert len(room.asked) <= 20
        assert not room.timeline.playing
        assert not lan.session.playing


class TestPhase:
    @pytest.mark.parametrize("ppm", [-200, -20, 0, 20, 200])
    @pytest.mark.parametrize("link_ppm", [0, 45])
    def test_two_networks_are_held_together(
        self, room: SimRoom, ppm: float, link_ppm: float
    ) -> None:
        lans = [Lan(room, ppm=ppm, link_ppm=link_ppm), Lan(room, ppm=-ppm / 2, bpm=90)]
        run(lans, 10 * SECOND)
        corrections = [len(lan.session.set_at_us) for lan in lans]
        assert held(lans, 120 * SECOND) < 500
        for lan, before in zip(lans, corrections, strict=True):
            assert len(lan.session.set_at_us) - before <= 4, "its tempo is not right"

    def test_no_step_is_heard(self, room: SimRoom) -> None:
        lan = Lan(room, ppm=200)
        run([lan], MEETING_NS)
        offs = [lan.off_us()]
        lan.map_error_ns = 2 * MS
        run([lan], 10 * SECOND, lambda: offs.append(lan.off_us()))
        steps = [abs(b - a) for a, b in pairwise(offs)]
        assert max(steps) < 510
        # The map says that it is 2 ms later than it is, and is believed.
        assert abs(lan.off_us() - 2000) < HELD_US

    @pytest.mark.parametrize("meter", ["3/4", "7/8", "5/32", "64/1"])
    def test_bars_are_the_rooms(self, room: SimRoom, meter: str) -> None:
        numerator, denominator = map(int, meter.split("/"))
        lans = [Lan(room), Lan(room, ppm=100)]
        run(lans, MEETING_NS)
        room.conduct(SetMeter(id=5, meter=Meter(numerator, denominator)))
        run(lans, SECOND)
        assert held(lans, 10 * SECOND) < HELD_US

    def test_a_locate_and_a_loop_keep_the_bars(self, room: SimRoom) -> None:
        lan = Lan(room)
        run([lan], MEETING_NS)
        room.conduct(Locate(id=5, position=Position(17, 3)))
        run([lan], 400 * MS)
        assert held([lan], SECOND) < HELD_US
        room.conduct(SetLoop(id=6, loop=Loop(18, 20)))
        assert held([lan], 20 * SECOND) < HELD_US
        assert room.asked == []

    def test_a_stopped_room_leaves_the_bars_of_a_session_alone(self) -> None:
        room = SimRoom()
        room.conduct(SetTempo(id=1, bpm=120))
        lan = Lan(room)
        zero_us = lan.session.beat_zero_us
        run([lan], 20 * SECOND)
        assert lan.session.beat_zero_us == zero_us
        assert lan.bridge.phase_error_us is None

    def test_two_bridges_on_one_network_do_not_fight(self, room: SimRoom) -> None:
        # Both machines see one session: its clock is the same, their own are 180 ppm apart.
        first, second = Lan(room, ppm=100), Lan(room, ppm=-80, link_ppm=180)
        second.session = first.session
        run([first, second], MEETING_NS)
        before = len(first.session.set_at_us)
        run([first, second], 20 * SECOND)
        assert len(first.session.set_at_us) - before < 10
        assert room.asked == []


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
