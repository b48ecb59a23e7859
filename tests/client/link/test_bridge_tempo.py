"""Tempo and phase between a room and Link sessions, on virtual time."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.messages import (
    Locate,
    SetLoop,
    SetMeter,
    SetTempo,
)
from midipool.meter import Loop, Meter, Position

from .simulation import MS, SECOND, Lan, SimRoom, held, run

MEETING_NS = 3 * SECOND
HELD_US = 1000


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
