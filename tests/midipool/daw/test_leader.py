"""A room led by a DAW: what it is asked when the DAW starts, stops, jumps and loops."""

from typing import cast

import pytest

from midipool.daw.control import loop_area_bytes
from midipool.messages import (
    Continue,
    Locate,
    SetLoop,
    SetTempo,
    Start,
    Stop,
)
from midipool.meter import BEAT, Loop, Meter, Position
from midipool.midi_clock import song_position_bytes

from .daw_script import DawScript
from .led_room import SECOND, error_us, kinds, led_room, played
from .simulated_daw import uniform

MS = 1_000
BAR_TICKS = 96
TEMPO_THEN_START: list[object] = [SetTempo, Start]


class TestStart:
    def test_the_room_starts_with_the_first_clock_and_is_in_phase_from_then_on(self) -> None:
        daw = DawScript().start().clocks(16)
        led = played(led_room(), daw)
        assert kinds(led) == [Start]
        (start,) = led.of(Start)
        assert cast(Start, start).since == 1_000_000
        assert error_us(led, daw, 1.2 * SECOND) < 10

    @pytest.mark.parametrize("seed", range(4))
    def test_a_clock_that_ran_before_says_the_time_of_the_start_without_jitter(
        self, seed: int
    ) -> None:
        daw = DawScript(jitter=uniform(2 * MS), seed=seed).clocks(16)
        began_us = daw.now_us
        daw.start().clocks(4)
        (start,) = played(led_room(), daw).of(Start)
        since_us = cast(Start, start).since
        assert since_us is not None
        assert abs(since_us - began_us) < 0.5 * MS

    def test_a_clock_that_begins_anew_with_the_song_says_its_own_time(self) -> None:
        daw = DawScript().clocks(8).wait(9 * MS)
        began_us = daw.now_us
        (start,) = played(led_room(), daw.start().clocks(2)).of(Start)
        assert cast(Start, start).since == round(began_us)

    def test_without_clocks_the_song_begins_when_the_daw_says_so(self) -> None:
        led = led_room().play([(1_000_000, b"\xfa")], 2 * SECOND)
        assert [command for _, command in led.commands] == [Start(id=0, since=1_000_000)]
        assert 1_250_000 <= led.commands[0][0] <= 1_260_000

    def test_the_room_has_the_daws_tempo_before_it_starts(self) -> None:
        daw = DawScript(bpm=97).clocks(8).start().clocks(8)
        led = played(led_room(), daw)
        assert kinds(led) == TEMPO_THEN_START
        began_us = daw.played[0][0]
        assert error_us(led, daw, began_us + 200 * MS) < 0.1 * MS

    def test_a_start_brings_the_tempo_that_the_room_would_not_take_before(self) -> None:
        daw = DawScript(bpm=97).clocks(8).start().clocks(8)
        led = played(led_room(revision=7), daw)
        assert kinds(led) == TEMPO_THEN_START
        assert error_us(led, daw, daw.played[0][0] + 200 * MS) < 0.1 * MS

    @pytest.mark.parametrize("play", [b"\xf0\x7f\x7f\x06\x02\xf7", b"\xf0\x7f\x7f\x06\x03\xf7"])
    @pytest.mark.parametrize("first", ["FA", "MMC"])
    def test_fa_and_mmc_play_are_one_start(self, first: str, play: bytes) -> None:
        daw = DawScript()
        daw.say(play, 150 * MS if first == "MMC" else -150 * MS).start().clocks(8)
        assert kinds(played(led_room(), daw)) == [Start]

    def test_fa_twice_is_one_start(self) -> None:
        daw = DawScript().start().say(b"\xfa", -3 * MS).clocks(8)
        assert kinds(played(led_room(), daw)) == [Start]

    def test_a_start_of_a_daw_that_plays_begins_anew(self) -> None:
        daw = DawScript().start().clocks(4).start().clocks(8)
        led = played(led_room(), daw)
        assert kinds(led) == [Start, Start]
        assert error_us(led, daw, 3.3 * SECOND) < 10

    def test_mmc_play_alone_goes_on_from_where_the_song_is(self) -> None:
        led = played(led_room(origin_beats=8 * BEAT), DawScript().mmc(0x02), SECOND)
        assert kinds(led) == [Continue]
        (go_on,) = led.of(Continue)
        assert cast(Continue, go_on).since == 996_000


class TestStopAndContinue:
    def test_a_stop_stops_the_room_once(self) -> None:
        daw = DawScript().start().clocks(8).stop().mmc(0x01).wait(50 * MS).say(b"\xfc")
        led = played(led_room(), daw, SECOND)
        assert kinds(led) == [Start, Stop]
        assert not led.chain.last.playing

    def test_a_stop_is_asked_for_within_a_few_hundredths(self) -> None:
        daw = DawScript().start().clocks(8).stop()
        led = played(led_room(), daw, SECOND)
        assert led.commands[-1][0] - daw.now_us < 40 * MS

    def test_a_stop_of_a_room_that_stands_is_nothing(self) -> None:
        assert played(led_room(), DawScript().say(b"\xfc"), SECOND).commands == []

    @pytest.mark.parametrize("tick", [384, 384 + 6 * 7])
    @pytest.mark.parametrize("clocks_before", [0, 8])
    def test_position_and_continue_bring_the_room_in_phase(
        self, tick: int, clocks_before: int
    ) -> None:
        daw = DawScript().clocks(clocks_before)
        began_us = daw.now_us
        led = played(led_room(), daw.go_on(tick).clocks(16))
        assert kinds(led) == [Locate, Continue]
        assert error_us(led, daw, began_us + 300 * MS) < 0.1 * MS

    def test_a_daw_that_goes_on_where_it_stopped_has_the_room_there(self) -> None:
        daw = DawScript().start().clocks(9.5)
        tick = daw.tick
        daw.stop().clocks(4).say(b"\xfb")
        daw.tick = tick
        began_us = daw.now_us
        led = played(led_room(), daw.clocks(8))
        assert kinds(led) == [Start, Stop, Locate, Continue]
        assert error_us(led, daw, began_us + 300 * MS) < 0.1 * MS

    def test_continue_of_a_song_that_nobody_knows_where_it_is_goes_on_from_the_rooms(self) -> None:
        daw = DawScript().say(b"\xfb").clocks(4)
        led = played(led_room(origin_beats=7 * BEAT), daw)
        assert [type(c) for c in led.of(Continue)] == kinds(led)
        assert led.chain.last.beats_at(1_500_000) == pytest.approx(8 * BEAT, abs=50)

    def test_counts_of_many_seconds_do_not_make_a_since_that_the_room_refuses(self) -> None:
        daw = DawScript(bpm=24).clocks(4).go_on(84).clocks(8)
        led = played(led_room(bpm=24, meter=Meter(2, 1)), daw)
        assert kinds(led) == [Locate, Continue]
        assert led.chain.last.playing
        assert error_us(led, daw, daw.now_us - 2 * SECOND) < MS


class TestPosition:
    def test_who_stops_and_rewinds_at_once_means_it(self) -> None:
        daw = DawScript().clocks(4).start().clocks(16).stop()
        # The room's own stop has reached the DAW by then: what it says might be an answer to that.
        led = played(led_room(), daw.wait(400 * MS).say(song_position_bytes(0)), SECOND)
        assert kinds(led)[-2:] == [Stop, Locate]
        assert led.chain.last.origin_beats == 0

    def test_a_cursor_that_is_dragged_moves_the_room_once_to_where_it_rests(self) -> None:
        daw = DawScript()
        for sixteenth in range(0, 400, 4):
            daw.say(song_position_bytes(6 * sixteenth)).wait(10 * MS)
        led = played(led_room(), daw, SECOND)
        assert [command for _, command in led.commands] == [Locate(id=0, position=Position(25, 4))]

    def test_mmc_locate_goes_by_the_rooms_tempo(self) -> None:
        daw = DawScript().mmc(0x44, 0x06, 0x01, 0x60, 0, 8, 0, 0)
        led = played(led_room(bpm=90), daw, SECOND)
        assert [command for _, command in led.commands] == [Locate(id=0, position=Position(4))]

    def test_where_the_room_stands_already_it_is_not_moved(self) -> None:
        daw = DawScript().say(song_position_bytes(2 * BAR_TICKS))
        assert played(led_room(origin_beats=8 * BEAT), daw, SECOND).commands == []

    def test_a_place_past_the_last_bar_is_no_command(self) -> None:
        daw = DawScript().mmc(0x44, 0x06, 0x01, 0x60 | 23, 59, 0, 0, 0)
        assert played(led_room(bpm=999, meter=Meter(1, 4)), daw, SECOND).commands == []

    @pytest.mark.parametrize("stop", [False, True])
    def test_a_jump_of_a_playing_daw_takes_the_room_along(self, stop: bool) -> None:
        daw = DawScript().start().clocks(10.25)
        if stop:
            daw.say(b"\xfc", 6 * MS)
        daw.go_on(16 * BAR_TICKS)
        jumped_us = daw.now_us
        led = played(led_room(), daw.clocks(8))
        assert kinds(led) == [Start, Locate]
        assert error_us(led, daw, jumped_us + 200 * MS) < 10

    def test_song_positions_that_only_repeat_where_the_song_is_are_nothing(self) -> None:
        daw = DawScript().start()
        for bar in range(1, 6):
            daw.clocks(4).say(song_position_bytes(bar * BAR_TICKS))
        assert kinds(played(led_room(), daw.clocks(4))) == [Start]


class TestLoop:
    def test_a_loop_that_the_daw_plays_is_the_rooms_from_the_second_round_on(self) -> None:
        daw = DawScript().start().clocks(16)
        for _ in range(6):
            daw.go_on(2 * BAR_TICKS).clocks(8)
        led = played(led_room(), daw)
        assert kinds(led) == [Start, Locate, Locate, SetLoop]
        assert led.chain.last.loop == Loop(3, 5)
        assert error_us(led, daw, daw.now_us - 8 * SECOND) < 10

    def test_the_loop_ends_where_the_daw_plays_on(self) -> None:
        daw = DawScript().start().clocks(16)
        for _ in range(3):
            daw.go_on(2 * BAR_TICKS).clocks(8)
        led = played(led_room(), daw.clocks(8))
        assert kinds(led)[-2:] == [SetLoop, Locate]
        assert led.chain.last.loop is None
        assert error_us(led, daw, daw.now_us - SECOND) < MS

    def test_a_loop_that_is_stated_is_set(self) -> None:
        daw = DawScript().say(loop_area_bytes(Loop(5, 9))).wait(SECOND)
        led = played(led_room(), daw.say(loop_area_bytes(Loop(5, 9))), SECOND)
        assert [command for _, command in led.commands] == [SetLoop(id=0, loop=Loop(5, 9))]
        led.play([(led.now_us, loop_area_bytes(None))], led.now_us + SECOND)
        assert led.chain.last.loop is None

    def test_going_round_is_no_reason_to_lead_again(self) -> None:
        daw = DawScript().start().clocks(16)
        for _ in range(3):
            daw.go_on(2 * BAR_TICKS).clocks(8)
        led = played(led_room(), daw)
        led.conduct(Locate(id=1, position=Position(40)))
        led.commands.clear()
        daw.sent.clear()
        for _ in range(3):
            daw.go_on(2 * BAR_TICKS).clocks(8)
        assert played(led, daw).commands == []
