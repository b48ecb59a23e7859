"""Who leads a room, a DAW or others; and what is not worth a command."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.daw.control import loop_area_bytes
from midipool.daw.lead_role import Mode
from midipool.daw.leader import Leader
from midipool.daw.parser import MidiMessage
from midipool.messages import (
    Locate,
    SetLoop,
    SetTempo,
    Start,
    Stop,
)
from midipool.meter import Loop, Position
from midipool.midi_clock import song_position_bytes

from .daw_script import DawScript
from .led_room import SECOND, LedRoom, error_us, kinds, led_room, played
from .simulated_daw import uniform

MS = 1_000


class TestWhoLeads:
    def test_a_room_that_others_have_made_keeps_its_tempo_when_a_daw_comes(self) -> None:
        led = led_room(revision=7)
        assert played(led, DawScript(bpm=97).clocks(24)).commands == []
        assert led.leader.state.role == "idle"

    def test_a_tempo_that_the_player_turns_leads_again(self) -> None:
        daw = DawScript(bpm=97).clocks(24)
        daw.bpm = 98
        led = played(led_room(revision=7), daw.clocks(24))
        assert abs(led.chain.last.mbpm - 98_000) < 60
        assert led.leader.state.role == "leading"

    def test_who_changes_the_room_is_not_fought_with(self) -> None:
        daw = DawScript(jitter=uniform(1 * MS)).start().clocks(16)
        led = played(led_room(), daw)
        led.conduct(SetTempo(id=1, bpm=128))
        led.commands.clear()
        daw.sent.clear()
        led = played(led, daw.clocks(32))
        assert led.commands == []
        assert led.chain.last.mbpm == 128_000
        daw.sent.clear()
        daw.start().clocks(24)
        assert kinds(played(led, daw))[0] in (SetTempo, Start)
        assert led.leader.state.role == "leading"
        assert error_us(led, daw, daw.now_us - SECOND) < MS

    def test_somebody_elses_change_during_a_correction_leaves_the_true_tempo(self) -> None:
        daw = DawScript().start().clocks(4).wait(8 * MS).clocks(4)
        led = played(led_room(), daw)
        assert abs(led.chain.last.mbpm - 120_000) > 100
        led.conduct(SetLoop(id=1, loop=Loop(90, 99)))
        led.wait(led.now_us + SECOND)
        assert abs(led.chain.last.mbpm - 120_000) <= 100

    def test_what_the_room_refused_is_not_asked_again(self) -> None:
        leader = Leader()
        daw = DawScript(bpm=97).clocks(8)
        asked = 0
        for time_us, data in daw.messages():
            for command in leader.heard(MidiMessage(time_us, data)):
                asked += 1
                leader.refused(command, "the room is locked")
        assert asked == 1
        complaint = leader.state.complaint
        assert complaint is not None
        assert "the room is locked" in complaint

    @pytest.mark.parametrize("mode", ["auto", "lead"])
    def test_an_echo_leads_in_mode_lead_only(self, mode: Mode) -> None:
        led = led_room(mode=mode, revision=3)
        led.conduct(Start(id=1))
        led.wait(250 * MS)
        led.play([(led.now_us, b"\xfa")], SECOND)
        assert bool(led.commands) == (mode == "lead")

    def test_mode_follow_never_asks_for_anything(self) -> None:
        daw = DawScript(bpm=97).clocks(8).start().clocks(16).go_on(960).clocks(8).stop()
        led = played(led_room(mode="follow"), daw, SECOND)
        assert led.commands == []
        assert led.leader.state.role == "idle"


def following(led: LedRoom, until_us: int, delay_us: int = 12 * MS) -> None:
    """A DAW that follows: what comes out of the port comes back a little later."""
    while led.now_us < until_us:
        seen = len(led.port)
        led.wait(led.now_us + 2 * MS)
        led.echo += [(event.time_us + delay_us, event.data) for event in led.port[seen:]]
        while led.echo and led.echo[0][0] <= led.now_us:
            _, data = led.echo.pop(0)
            led.play([(led.now_us, data)], led.now_us)


class TestFollowers:
    def test_a_daw_that_follows_never_asks_for_anything(self) -> None:
        led = led_room()
        led.conduct(Start(id=1))
        following(led, 5 * SECOND)
        led.conduct(SetTempo(id=1, bpm=140))
        following(led, 10 * SECOND)
        led.conduct(Locate(id=1, position=Position(17)))
        following(led, 15 * SECOND)
        led.conduct(Stop(id=1))
        following(led, 18 * SECOND)
        assert led.commands == []
        assert led.leader.state.role == "following"

    def test_its_buttons_work_and_its_clock_stays_an_echo(self) -> None:
        led = led_room()
        led.conduct(Start(id=1))
        following(led, 5 * SECOND)
        led.play([(led.now_us, b"\xfc")], led.now_us)
        following(led, 8 * SECOND)
        assert kinds(led) == [Stop]
        assert not led.chain.last.playing
        led.play([(led.now_us, b"\xfa")], led.now_us)
        following(led, 30 * SECOND)
        assert kinds(led) == [Stop, Start]
        assert led.chain.last.mbpm == 120_000
        assert led.leader.state.role == "following"

    def test_steering_that_brings_nothing_ends_with_the_tempo_as_it_was(self) -> None:
        # One clock of its own, as if it led, and from then on only ours.
        led = led_room().play([(1_000_000, b"\xfa"), (1_001_000, b"\xf8")], 1_002_000)
        following(led, 60 * SECOND)
        assert led.leader.state.role == "following"
        assert led.chain.last.mbpm == 120_000
        assert len(led.commands) < 12


class TestRubbish:
    @pytest.mark.parametrize(
        ("period_us", "why"), [(100, "faster than"), (2_500_000, "slower than"), (1_250, "faster")]
    )
    def test_absurd_clocks_give_no_command_and_a_complaint(self, period_us: int, why: str) -> None:
        ticks = [(1_000_000 + number * period_us, b"\xf8") for number in range(2_000)]
        ticks = [tick for tick in ticks if tick[0] < 20 * SECOND]
        led = led_room().play(ticks, ticks[-1][0])
        assert led.commands == []
        complaint = led.leader.state.complaint
        assert complaint is not None
        assert why in complaint

    def test_a_complaint_ends_with_what_it_is_about(self) -> None:
        led = led_room().play(
            [(1_000_000 + number * 100, b"\xf8") for number in range(2_000)], SECOND
        )
        led.wait(12 * SECOND)
        assert led.leader.state.complaint is None

    def test_a_storm_of_transport_bytes_is_a_bounded_number_of_commands(self) -> None:
        storm = [b"\xfa", b"\xf8", b"\xfc", song_position_bytes(96), b"\xfb", b"\xf8"]
        leader = Leader()
        asked = []
        for number in range(4_000):
            message = MidiMessage(1_000_000 + number * 500, storm[number % len(storm)])
            asked += leader.heard(message)
        assert leader.state.complaint is not None
        assert len(asked) <= 20 * 3

    @given(
        st.lists(
            st.tuples(
                st.integers(0, 400_000),
                st.sampled_from(
                    [
                        b"\xf8",
                        b"\xfa",
                        b"\xfb",
                        b"\xfc",
                        song_position_bytes(0),
                        song_position_bytes(960),
                        song_position_bytes(16383 * 6),
                        b"\xf0\x7f\x7f\x06\x01\xf7",
                        b"\xf0\x7f\x7f\x06\x02\xf7",
                        b"\xf0\x7f\x7f\x06\x44\x06\x01\x77\x3b\x3b\x1d\x00\xf7",
                        loop_area_bytes(Loop(1, 2)),
                        loop_area_bytes(None),
                    ]
                ),
            ),
            max_size=60,
        )
    )
    @settings(max_examples=60, deadline=None)
    def test_whatever_comes_the_room_takes_each_command(
        self, said: list[tuple[int, bytes]]
    ) -> None:
        led = led_room(mode="lead")
        messages, time_us = [], 1_000_000
        for wait_us, data in said:
            time_us += wait_us
            messages.append((time_us, data))
        led.play(messages, time_us + SECOND)
        assert led.refusals == []
        assert led.leader.next_deadline() is None
