"""Playing together: what a DAW plays reaches the others' ports, in time."""

import pytest

from midipool.messages import MAX_MIDI_EVENTS, Midi, SetTempo, Stop, TimedMidi
from midipool.midi_clock import MidiEvent
from midipool.midi_kinds import KINDS
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.sharing.echo_guard import ECHO_US
from midipool_client.sharing.hearing import MAX_WAITING, RELEASE_US, STALLED_US
from midipool_client.sharing.options import GRIDS, ChannelMap, HearAs, MidiFilter, SharingSettings
from midipool_client.sharing.sending import HEARTBEAT_US, TOGETHER_US
from midipool_client.sharing.sharing import MAX_SENDERS, MidiSharing
from tests.client.sharing.note_port import NotePort, at
from tests.midipool.strategies import conduct

SECOND = 1_000_000
BAR_US = 2 * SECOND
ON, OFF = b"\x90\x3c\x40", b"\x80\x3c\x40"
BEND, MIDDLE = b"\xe0\x00\x50", b"\xe0\x00\x40"
PEDAL, NO_PEDAL = b"\xb0\x40\x7f", b"\xb0\x40\x00"
PROGRAM = b"\xc0\x05"
SYSEX = b"\xf0\x7d\x01\xf7"
PLAYING = TimelineChain((Timeline(playing=True),))
STOPPED = TimelineChain((Timeline(),))


def sent(messages: list[Midi]) -> list[bytes]:
    return [bytes.fromhex(event.data) for message in messages for event in message.events]


class TestSending:
    def test_the_first_goes_at_once_and_what_follows_together(self) -> None:
        sharing = MidiSharing()
        assert sharing.heard(at(7, ON), 1000) == [Midi([TimedMidi(7, "903c40")])]
        assert sharing.heard(at(8, BEND), 2000) == []
        assert sharing.heard(at(9, OFF), 3000) == []
        assert sharing.next_deadline() == 1000 + TOGETHER_US
        assert sharing.poll(1000 + TOGETHER_US - 1, None).messages == []
        assert sent(sharing.poll(1000 + TOGETHER_US, None).messages) == [BEND, OFF]
        assert sharing.next_deadline() is None

    def test_a_big_chord_goes_in_as_many_messages_as_it_takes(self) -> None:
        events = at(0, *[bytes((0x90 | n // 128, n % 128, 64)) for n in range(200)])
        messages = MidiSharing().heard(events, 0)
        assert [len(m.events) for m in messages] == [MAX_MIDI_EVENTS] * 3 + [8]

    def test_while_notes_are_held_it_says_so(self) -> None:
        sharing = MidiSharing()
        sharing.heard(at(0, ON), 0)
        assert sharing.next_deadline() == HEARTBEAT_US
        assert sharing.poll(HEARTBEAT_US, None).messages == [Midi()]
        assert sharing.next_deadline() == 2 * HEARTBEAT_US
        sharing.heard(at(0, OFF), HEARTBEAT_US + 10_000)
        assert sharing.next_deadline() is None

    def test_only_what_the_filter_lets_pass_is_sent(self) -> None:
        only = MidiFilter(frozenset({"notes", "programs"}), frozenset({1}))
        sharing = MidiSharing(SharingSettings(share=only))
        events = at(0, ON, BEND, PROGRAM, PEDAL, SYSEX, b"\x91\x3c\x40", b"\xf8", b"\xb0\x7b\x00")
        assert sent(sharing.heard(events, 0)) == [ON, PROGRAM, b"\xb0\x7b\x00"]

    def test_sysex_is_sent_if_asked_for(self) -> None:
        assert sent(MidiSharing().heard(at(0, SYSEX), 0)) == []
        sharing = MidiSharing(SharingSettings(share=MidiFilter(frozenset(KINDS))))
        assert sent(sharing.heard(at(0, SYSEX), 0)) == [SYSEX]

    def test_channels_are_mapped(self) -> None:
        sharing = MidiSharing(SharingSettings(share_map=ChannelMap(((1, 5),))))
        assert sent(sharing.heard(at(0, ON, OFF), 0)) == [b"\x94\x3c\x40", b"\x84\x3c\x40"]


class TestEcho:
    def test_what_the_daw_passes_through_is_not_sent_back(self) -> None:
        sharing = MidiSharing()
        sharing.received("keys", at(0, ON, BEND, OFF), 1000, None)
        assert sharing.heard(at(9_000, ON, BEND, OFF), 9_000) == []
        assert sharing.echoes == 3

    def test_each_message_excuses_one_echo(self) -> None:
        sharing = MidiSharing()
        sharing.received("keys", at(0, ON), 0, None)
        assert sent(sharing.heard(at(9, ON, ON), 9)) == [ON]

    def test_after_half_a_second_it_is_the_player_s(self) -> None:
        sharing = MidiSharing()
        sharing.received("keys", at(0, ON), 0, None)
        assert sent(sharing.heard(at(ECHO_US + 1, ON), ECHO_US + 1)) == [ON]

    @pytest.mark.parametrize(("begin", "end"), [(ON, OFF), (PEDAL, NO_PEDAL), (BEND, MIDDLE)])
    def test_what_the_player_began_ends_though_another_one_ends_the_same(
        self, begin: bytes, end: bytes
    ) -> None:
        sharing = MidiSharing()
        sharing.heard(at(0, begin), 0)
        sharing.received("keys", at(0, begin, end), 100_000, None)
        assert sent(sharing.heard(at(110_000, end), 110_000)) == [end]

    def test_a_note_off_without_a_note_is_nobody_s_business(self) -> None:
        assert sent(MidiSharing().heard(at(0, OFF), 0)) == []

    def test_two_daws_that_pass_everything_through_do_not_loop(self) -> None:
        ours, theirs = MidiSharing(), MidiSharing()
        messages = ours.heard(at(0, ON, BEND), 0)
        for step in range(1, 20):
            now_us = step * 10_000
            events = [MidiEvent(now_us, data) for data in sent(messages)]
            played = theirs.received("us", events, now_us, None)
            messages = theirs.heard(played, now_us) + theirs.poll(now_us + 5_000, None).messages
            assert sent(messages) == []


class TestReceiving:
    def test_it_is_played_at_once(self) -> None:
        events = MidiSharing().received("keys", at(-40_000, ON, BEND, OFF), 5, PLAYING)
        assert events == at(5, ON, BEND, OFF)

    def test_only_those_who_are_wanted_are_heard(self) -> None:
        sharing = MidiSharing(SharingSettings(hear_from=frozenset({"bass"})))
        assert sharing.received("keys", at(0, ON), 0, None) == []
        assert sharing.received("bass", at(0, ON), 0, None) == at(0, ON)

    def test_only_what_the_filter_lets_pass_is_heard(self) -> None:
        sharing = MidiSharing(SharingSettings(hear=MidiFilter(frozenset({"pitch_bend"}))))
        assert sharing.received("keys", at(0, ON, BEND, SYSEX), 0, None) == at(0, BEND)

    def test_each_sender_can_have_channels_of_its_own(self) -> None:
        maps = {"bass": ChannelMap(((1, 2),))}
        others = ChannelMap(((1, 3),))
        sharing = MidiSharing(SharingSettings(hear_maps=maps, hear_map=others))
        assert sharing.received("bass", at(0, ON), 0, None) == at(0, b"\x91\x3c\x40")
        assert sharing.received("keys", at(0, ON), 0, None) == at(0, b"\x92\x3c\x40")

    def test_all_notes_off_of_one_ends_nobody_else_s_notes(self) -> None:
        sharing = MidiSharing()
        sharing.received("bass", at(0, ON), 0, None)
        sharing.received("keys", at(0, b"\x90\x40\x40"), 0, None)
        assert sharing.received("keys", at(0, b"\xb0\x7b\x00"), 1, None) == at(1, b"\x80\x40\x40")

    def test_reset_of_one_puts_back_what_that_one_moved(self) -> None:
        sharing = MidiSharing()
        sharing.received("keys", at(0, BEND), 0, None)
        assert sharing.received("keys", at(0, b"\xb0\x79\x00"), 1, None) == at(1, MIDDLE)
        assert sharing.received("bass", at(0, b"\xb0\x79\x00"), 1, None) == []

    def test_the_server_can_have_a_sender_silenced(self) -> None:
        sharing = MidiSharing()
        sharing.received("keys", at(0, ON, BEND, PEDAL), 0, None)
        events = sharing.received("keys", at(0, ON), 9, None, silence=True)
        assert events == at(9, OFF, MIDDLE, NO_PEDAL, ON)


class TestGone:
    def test_what_a_member_leaves_behind_is_ended(self) -> None:
        sharing = MidiSharing()
        sharing.received("keys", at(0, ON, BEND), 0, None)
        assert sharing.member_gone("keys", 9) == at(9, OFF, MIDDLE)
        assert sharing.member_gone("keys", 10) == []

    def test_without_a_connection_everybody_is_gone(self) -> None:
        sharing = MidiSharing()
        sharing.received("keys", at(0, ON), 0, None)
        sharing.received("bass", at(0, b"\x91\x20\x40"), 0, None)
        assert sharing.disconnected(9) == at(9, OFF, b"\x81\x20\x40")
        assert sharing.next_deadline() is None

    def test_notes_of_a_sender_that_stalls_are_ended(self) -> None:
        sharing = MidiSharing()
        sharing.received("keys", at(0, ON), 0, None)
        sharing.received("keys", [], 300_000, None)
        assert sharing.next_deadline() == 300_000 + STALLED_US
        assert sharing.poll(300_000 + STALLED_US - 1, None).events == []
        events = sharing.poll(300_000 + STALLED_US, None).events
        assert events == at(300_000 + STALLED_US, OFF)
        assert sharing.next_deadline() is None

    def test_a_sender_that_holds_nothing_may_be_silent(self) -> None:
        sharing = MidiSharing()
        sharing.received("keys", at(0, ON, OFF, b"\xb0\x01\x20"), 0, None)
        assert sharing.next_deadline() is None

    def test_what_waits_of_one_who_left_is_dropped_and_what_sounds_is_ended(self) -> None:
        sharing = MidiSharing(SharingSettings(hear_as=HearAs("bars", bars=1)))
        sharing.received("keys", at(0, ON), 10_000, PLAYING)
        sharing.received("keys", at(100_000, b"\x90\x40\x40"), 110_000, PLAYING)
        assert sharing.poll(BAR_US, PLAYING).events[0] == (BAR_US, ON)
        # The second one was given away for its time already: it begins, and ends right there.
        assert sharing.member_gone("keys", BAR_US + 1000) == at(
            BAR_US + 100_000, OFF, b"\x80\x40\x40"
        )
        assert sharing.next_deadline() is None

    def test_no_more_senders_are_kept_than_can_be_members(self) -> None:
        sharing = MidiSharing()
        for number in range(2 * MAX_SENDERS):
            sharing.received(f"idle {number}", [], 0, None)
        for number in range(MAX_SENDERS):
            sharing.received(f"keys {number}", at(0, ON), 0, None)
        assert sharing.received("one more", at(0, ON), 0, None) == []
        assert len(sharing.disconnected(0)) == MAX_SENDERS


def scheduled(hear_as: HearAs) -> MidiSharing:
    return MidiSharing(SharingSettings(hear_as=hear_as))


def played(sharing: MidiSharing, chain: TimelineChain) -> list[MidiEvent]:
    """All that comes if time goes on."""
    events: list[MidiEvent] = []
    while (now_us := sharing.next_deadline()) is not None:
        events += sharing.poll(now_us, chain).events
    return events


class TestOnAGrid:
    SIXTEENTHS = HearAs("grid", lines=GRIDS["1/16"])
    QUARTERS = HearAs("grid", lines=GRIDS["1/4"])

    def test_a_note_begins_on_the_next_line_and_keeps_its_length(self) -> None:
        sharing = scheduled(self.QUARTERS)
        assert sharing.received("keys", at(0, ON), 110_000, PLAYING) == []
        assert sharing.received("keys", at(0, OFF), 310_000, PLAYING) == []
        assert played(sharing, PLAYING) == [*at(500_000, ON), *at(700_000, OFF)]

    def test_it_is_given_away_in_time_for_the_spooler(self) -> None:
        sharing = scheduled(self.QUARTERS)
        sharing.received("keys", at(0, ON), 110_000, PLAYING)
        assert sharing.next_deadline() == 500_000 - RELEASE_US

    def test_controllers_stay_behind_the_note_in_front_of_them(self) -> None:
        sharing = scheduled(self.QUARTERS)
        assert sharing.received("keys", at(0, PROGRAM, ON, BEND), 110_000, PLAYING) == at(
            110_000, PROGRAM
        )
        sharing.received("keys", at(0, OFF), 200_000, PLAYING)
        assert played(sharing, PLAYING)[:2] == at(500_000, ON, BEND)

    def test_a_note_that_is_played_again_before_the_line_is_over_there(self) -> None:
        sharing = scheduled(self.QUARTERS)
        events = []
        for now_us, data in [(10_000, ON), (400_000, OFF), (450_000, ON), (480_000, OFF)]:
            events += sharing.received("keys", at(0, data), now_us, PLAYING)
        events += played(sharing, PLAYING)
        assert events == [*at(500_000, ON, OFF, ON), *at(530_000, OFF)]

    def test_while_the_song_stands_it_is_played_at_once(self) -> None:
        sharing = scheduled(self.SIXTEENTHS)
        assert sharing.received("keys", at(0, ON), 7, STOPPED) == at(7, ON)
        assert sharing.received("keys", at(0, OFF), 8, None) == at(8, OFF)


class TestBarsLater:
    ONE = HearAs("bars", bars=1)

    def test_everything_comes_exactly_a_bar_after_it_was_played(self) -> None:
        sharing = scheduled(self.ONE)
        events = [*at(100_000, ON), *at(100_500, BEND), *at(200_000, OFF, MIDDLE)]
        assert sharing.received("keys", events, 240_000, PLAYING) == []
        assert played(sharing, PLAYING) == [(t + BAR_US, data) for t, data in events]

    def test_so_does_what_jack_hands_over_before_it_is_played(self) -> None:
        sharing = scheduled(self.ONE)
        assert sharing.received("keys", at(261_000, ON), 240_000, PLAYING) == []
        assert played(sharing, PLAYING)[0] == (261_000 + BAR_US, ON)

    def test_a_change_of_tempo_on_the_way_is_respected(self) -> None:
        sharing = scheduled(self.ONE)
        sharing.received("keys", [*at(500_000, ON), *at(1_000_000, OFF)], 1_010_000, PLAYING)
        slower = conduct(PLAYING, SetTempo(id=1, bpm=60.0), 1_500_000)
        sharing.poll(1_200_000, slower)
        later = slower.since(1_600_000)
        sharing.poll(1_600_000, later)
        # Two beats at 120 BPM, then two at 60.
        assert played(sharing, later) == [*at(3_500_000, ON), *at(4_500_000, OFF)]

    def test_while_the_song_stands_it_is_played_at_once(self) -> None:
        sharing = scheduled(self.ONE)
        assert sharing.received("keys", at(0, ON), 7, STOPPED) == at(7, ON)
        # A note that began at once ends at once.
        assert sharing.received("keys", at(9, OFF), 9, PLAYING) == at(9, OFF)

    def test_a_stop_ends_what_sounds_and_leaves_out_what_was_to_come(self) -> None:
        sharing = scheduled(self.ONE)
        sharing.received("keys", [*at(0, ON), *at(900_000, OFF, ON)], 910_000, PLAYING)
        assert sharing.poll(BAR_US, PLAYING).events == at(BAR_US, ON)
        stopped = conduct(PLAYING, Stop(id=1), BAR_US + 500_000)
        sharing.received("keys", at(1_000_000, OFF), BAR_US, stopped)
        assert played(sharing, stopped) == at(BAR_US + 500_000, OFF)

    def test_one_who_stalls_is_ended_a_bar_later(self) -> None:
        sharing = scheduled(self.ONE)
        sharing.received("keys", at(0, ON), 0, PLAYING)
        assert played(sharing, PLAYING) == [*at(BAR_US, ON), *at(STALLED_US + BAR_US, OFF)]

    def test_a_sender_whose_clock_is_off_is_taken_to_play_now(self) -> None:
        sharing = scheduled(self.ONE)
        sharing.received("keys", [*at(-(2**52), ON), *at(2**52, OFF)], 70_000, PLAYING)
        assert played(sharing, PLAYING) == at(70_000 + BAR_US, ON, OFF)

    def test_more_than_can_wait_is_dropped_and_nothing_sounds(self) -> None:
        sharing, port = scheduled(HearAs("bars", bars=16)), NotePort()
        for number in range(MAX_WAITING // 64 + 2):
            events = at(number, *[ON, OFF] * 31, b"\xb0\x07\x01", ON)
            port.put(sharing.received("keys", events, number + 10_000, PLAYING), 10_000)
        port.put(played(sharing, PLAYING), 40 * SECOND)
        assert not port.synthesizer.notes

    def test_it_moves_with_the_room_clock(self) -> None:
        sharing = scheduled(self.ONE)
        sharing.received("keys", at(0, ON, OFF), 10_000, PLAYING)
        sharing.shift(SECOND)
        assert played(sharing, PLAYING.moved_by(SECOND)) == at(BAR_US + SECOND, ON, OFF)
