"""A room led by a DAW: how near its tempo and its beat are to the DAW's."""

from itertools import pairwise

import pytest

from midipool.messages import (
    Locate,
    SetTempo,
    Start,
)

from .daw_script import DawScript
from .led_room import SECOND, error_us, kinds, led_room, played
from .simulated_daw import Jitter, gaussian, no_jitter, uniform

MS = 1_000
JITTERS: dict[str, Jitter] = {
    "none": no_jitter,
    "1 ms": uniform(1 * MS),
    "3 ms": uniform(3 * MS),
    "sigma 1 ms": gaussian(1 * MS),
}


TEMPOS = [(133.7, 120), (90, 120), (60, 120), (174, 90), (300, 280), (121, 120)]


class TestPhase:
    @pytest.mark.parametrize(
        ("jitter", "ppm"),
        [("none", 100), ("none", -100), ("1 ms", 100), ("3 ms", -100), ("sigma 1 ms", 0)],
    )
    def test_followers_stay_within_a_millisecond_of_a_clock_that_drifts(
        self, jitter: str, ppm: float
    ) -> None:
        daw = DawScript(jitter=JITTERS[jitter], ppm=ppm).start().clocks(80)
        led = played(led_room(), daw)
        assert error_us(led, daw, 5 * SECOND) < MS
        # Each correction is two commands, and few are needed.
        assert len(led.commands) < 20

    @pytest.mark.parametrize(("bpm", "room_bpm"), [(133.7, 120), (60, 120), (174, 90), (300, 280)])
    def test_another_tempo_than_the_rooms_is_taken_and_its_phase_made_good(
        self, bpm: float, room_bpm: float
    ) -> None:
        daw = DawScript(bpm=bpm, jitter=uniform(1 * MS)).start().clocks(16 * bpm / 60)
        led = played(led_room(bpm=room_bpm), daw)
        assert error_us(led, daw, 9 * SECOND) < MS
        assert abs(led.chain.last.mbpm / 1000 - bpm) < 0.2

    def test_in_a_room_that_votes_only_a_tempo_that_anybody_would_notice_is_asked_for(self) -> None:
        daw = DawScript(jitter=uniform(1 * MS), ppm=100).start().clocks(40)
        daw.bpm = 120.4
        daw.clocks(40)
        daw.bpm = 126
        led = led_room()
        led.leader.keep_phase(False)
        led = played(led, daw.clocks(40))
        asked: list[object] = [Start, SetTempo]
        assert kinds(led) == asked
        assert abs(led.chain.last.mbpm - 126_000) <= 120

    @pytest.mark.parametrize("lead_us", [150_000, 1_000_000])
    def test_a_jump_of_the_daws_tempo_is_followed(self, lead_us: int) -> None:
        daw = DawScript(jitter=uniform(1 * MS)).start().clocks(32)
        changed_us = daw.now_us
        daw.bpm = 126
        led = played(led_room(lead_us=lead_us), daw.clocks(40))
        assert error_us(led, daw, changed_us + 8 * SECOND) < MS
        assert abs(led.chain.last.mbpm - 126_000) <= 60

    def test_a_tempo_that_moves_slowly_is_followed_with_a_command_a_beat_at_most(self) -> None:
        daw = DawScript(jitter=uniform(1 * MS)).start().clocks(16)
        for step in range(160):
            daw.bpm = 120 + step / 8
            daw.clocks(0.25)
        ramp_us = daw.now_us
        led = played(led_room(), daw.clocks(40))
        times = [time_us for time_us, command in led.commands if isinstance(command, SetTempo)]
        assert min(b - a for a, b in pairwise(times)) > 400 * MS
        assert error_us(led, daw, 1.3 * SECOND, ramp_us) < 80 * MS
        assert error_us(led, daw, ramp_us + 8 * SECOND) < MS

    def test_when_the_phase_is_made_good_the_room_has_the_true_tempo_again(self) -> None:
        daw = DawScript().start().clocks(4)
        daw.wait(8 * MS).clocks(40)
        led = played(led_room(), daw)
        assert error_us(led, daw, daw.now_us - 8 * SECOND) < MS
        assert abs(led.chain.last.mbpm - 120_000) <= 10

    def test_a_stop_in_the_middle_of_a_correction_leaves_the_true_tempo(self) -> None:
        daw = DawScript().start().clocks(4).wait(8 * MS).clocks(4).stop()
        led = played(led_room(), daw, SECOND)
        assert any(isinstance(c, SetTempo) and abs(c.bpm - 120) > 0.1 for _, c in led.commands)
        assert abs(led.chain.last.mbpm - 120_000) <= 100
        assert not led.chain.last.playing

    def test_so_it_does_when_the_clock_goes_on(self) -> None:
        daw = DawScript().start().clocks(4).wait(0.7 * MS).clocks(3).stop().clocks(8)
        led = played(led_room(), daw)
        assert any(isinstance(command, SetTempo) for _, command in led.commands)
        assert abs(led.chain.last.mbpm - 120_000) <= 15

    def test_a_daw_that_only_ticks_gives_the_room_its_tempo(self) -> None:
        led = played(led_room(), DawScript(bpm=101.5, jitter=uniform(1 * MS)).clocks(24))
        assert kinds(led)[:1] == [SetTempo]
        assert abs(led.chain.last.mbpm - 101_500) <= 60
        assert not led.chain.last.playing

    def test_no_tempo_is_sent_when_the_room_has_it_already(self) -> None:
        daw = DawScript(bpm=120.03, jitter=uniform(1 * MS)).clocks(64)
        assert played(led_room(), daw).commands == []


class TestNewSong:
    """A DAW that ticks only while it plays, at a tempo that the room has not."""

    @pytest.mark.parametrize(("bpm", "room_bpm"), TEMPOS)
    def test_its_phase_is_made_good_within_a_second(self, bpm: float, room_bpm: float) -> None:
        daw = DawScript(bpm=bpm).start().clocks(8 * bpm / 60)
        led = played(led_room(bpm=room_bpm), daw)
        assert error_us(led, daw, 2.01 * SECOND) < MS
        assert led.chain.last.mbpm == pytest.approx(bpm * 1000, abs=20)
        # Start, tempo, and either a place or the end of a correction.
        assert len(led.commands) == 3

    @pytest.mark.parametrize("seed", range(2))
    @pytest.mark.parametrize(("bpm", "room_bpm"), TEMPOS)
    def test_in_jitter_it_takes_a_little_longer(
        self, bpm: float, room_bpm: float, seed: int
    ) -> None:
        daw = DawScript(bpm=bpm, jitter=uniform(1 * MS), seed=seed).start().clocks(7 * bpm / 60)
        led = played(led_room(bpm=room_bpm), daw)
        assert error_us(led, daw, 2.2 * SECOND) < 6 * MS
        assert error_us(led, daw, 4.2 * SECOND) < MS

    def test_the_tempo_it_had_before_is_the_rooms_from_the_start_on(self) -> None:
        daw = DawScript(bpm=97).start().clocks(8).stop().wait(3 * SECOND)
        began_us = daw.now_us
        led = led_room()
        daw.start().clocks(8)
        led.play([said for said in daw.messages() if said[0] < began_us - SECOND], 8 * SECOND)
        led.conduct(SetTempo(id=1, bpm=128))
        led.play([said for said in daw.messages() if said[0] > 8 * SECOND], round(daw.now_us))
        assert error_us(led, daw, began_us + 250 * MS) < MS

    def test_a_place_to_which_it_goes_anew_a_little_late_is_in_step_at_once(self) -> None:
        daw = DawScript().start().clocks(8).say(b"\xfc", 6 * MS).wait(3 * MS).go_on(960)
        jumped_us = daw.now_us
        led = played(led_room(), daw.clocks(8))
        assert kinds(led) == [Start, Locate]
        assert error_us(led, daw, jumped_us + 200 * MS) < 10

    @pytest.mark.parametrize("at", [0, 4, 8, 10, 20])
    def test_a_stall_in_its_first_clocks_gives_no_other_tempo(self, at: int) -> None:
        daw = DawScript().start().clocks(16)
        first = next(n for n, said in enumerate(daw.sent) if said[1] == b"\xf8")
        for number in range(first + at, first + at + 3):
            time_us, data = daw.sent[number]
            daw.sent[number] = (time_us + 15 * MS, data)
        led = played(led_room(), daw)
        # A start that was late is made good within a beat.
        assert all(abs(c.bpm - 120) < 4 for _, c in led.commands if isinstance(c, SetTempo))
        assert error_us(led, daw, 5 * SECOND) < MS
