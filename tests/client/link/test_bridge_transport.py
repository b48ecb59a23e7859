"""Start and stop between a room and Link sessions, on virtual time."""

import pytest

from midipool.messages import (
    Continue,
    SetTempo,
    Start,
    Stop,
)

from .simulation import MS, SECOND, Lan, SimRoom, held, run

MEETING_NS = 3 * SECOND
HELD_US = 1000


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
