"""What sounds after the MIDI messages that were sent, and what ends it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.midi_kinds import channel_of, kind_of
from midipool.midi_notes import Sounding

from ..synthesizer import Synthesizer

data_bytes = st.integers(0, 127)
# Few channels, keys and controllers, so that they meet.
statuses = st.builds(
    lambda upper, channel: upper | channel,
    st.sampled_from((0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0)),
    st.sampled_from((0, 9)),
)
numbers = st.sampled_from((0, 1, 11, 60, 61, 64, 66, 120, 121, 123, 127))
values = st.sampled_from((0, 1, 64, 127))
voice = st.builds(
    lambda status, number, value: (
        bytes((status, number)) if status >> 4 in (0xC, 0xD) else bytes((status, number, value))
    ),
    statuses,
    numbers,
    values,
)


def heard(*messages: str) -> Sounding:
    sounding = Sounding()
    for message in messages:
        sounding.note(bytes.fromhex(message))
    return sounding


def silence(*messages: str) -> list[str]:
    return [data.hex() for data in heard(*messages).silence()]


class TestKinds:
    @pytest.mark.parametrize(
        ("message", "kind"),
        [
            ("803c40", "notes"),
            ("9f3c40", "notes"),
            ("a03c40", "aftertouch"),
            ("d040", "aftertouch"),
            ("b00740", "controllers"),
            ("b07900", "controllers"),
            ("c005", "programs"),
            ("e00040", "pitch_bend"),
            ("f07d01f7", "sysex"),
            ("f0f7", "sysex"),
        ],
    )
    def test_each_message_that_is_shared_has_a_kind(self, message: str, kind: str) -> None:
        assert kind_of(bytes.fromhex(message)) == kind

    @pytest.mark.parametrize("number", [120, 123, 124, 125, 126, 127])
    def test_what_ends_notes_goes_with_the_notes(self, number: int) -> None:
        assert kind_of(bytes((0xB0, number, 0))) == "notes"

    @pytest.mark.parametrize(
        "message",
        ["", "3c40", "903c", "903c4000", "90803c", "c0", "c00000", "b07a00", "f8", "fa", "f20000"],
    )
    def test_what_is_no_whole_message_or_is_not_for_others_has_none(self, message: str) -> None:
        assert kind_of(bytes.fromhex(message)) is None

    @pytest.mark.parametrize("message", ["f0", "f07d", "f07d90f7", "f0" + 255 * "00" + "f7"])
    def test_sysex_is_whole_and_at_most_256_bytes_long(self, message: str) -> None:
        assert kind_of(bytes.fromhex(message)) is None

    def test_a_channel_is_counted_from_1_and_sysex_has_none(self) -> None:
        assert channel_of(b"\x9f\x3c\x40") == 16
        assert channel_of(b"\xf0\xf7") is None


class TestSilence:
    def test_nothing_played_needs_no_silence(self) -> None:
        assert silence() == []

    def test_a_note_that_sounds_is_ended_on_its_channel(self) -> None:
        assert silence("913c40", "993040") == ["813c40", "893040"]

    @pytest.mark.parametrize("off", ["803c00", "903c00"])
    def test_a_note_that_was_ended_is_left_alone(self, off: str) -> None:
        assert silence("903c40", off) == []

    def test_a_channel_that_was_only_given_a_program_is_left_alone(self) -> None:
        assert silence("c105", "b00740", "b00a10", "f07d01f7") == []

    @pytest.mark.parametrize(
        ("moved", "rest"),
        [
            ("b0407f", "b04000"),
            ("b0427f", "b04200"),
            ("b00105", "b00100"),
            ("b00b20", "b00b7f"),
            ("e00050", "e00040"),
            ("d040", "d000"),
            ("a03c20", "a03c00"),
        ],
    )
    def test_what_was_moved_is_put_back(self, moved: str, rest: str) -> None:
        assert silence(moved) == [rest]
        assert silence(moved, rest) == []

    def test_it_is_over_after_that(self) -> None:
        sounding = heard("903c40", "b0407f")
        assert sounding.active
        assert sounding.silence()
        assert sounding.silence() == []
        assert not sounding.touched

    def test_one_channel_can_be_silenced_alone(self) -> None:
        sounding = heard("903c40", "913c40", "e10050")
        assert [m.hex() for m in sounding.silence(2)] == ["813c40", "e10040"]
        assert [m.hex() for m in sounding.silence()] == ["803c40"]

    @pytest.mark.parametrize("mode", ["b07800", "b07b00", "b07f00"])
    def test_all_notes_off_ends_the_notes_of_its_channel(self, mode: str) -> None:
        assert silence("903c40", "913c40", mode) == ["813c40"]

    def test_reset_all_controllers_puts_back_its_channel(self) -> None:
        assert silence("b0407f", "b1407f", "b07900") == ["b14000"]

    def test_a_held_pedal_keeps_it_active_as_notes_do(self) -> None:
        assert heard("b0407f").active
        assert not heard("b00105").active

    @given(st.lists(st.binary(max_size=4)))
    def test_any_bytes_are_taken(self, messages: list[bytes]) -> None:
        sounding = Sounding()
        for data in messages:
            sounding.note(data)
        assert len(sounding.silence()) <= len(messages)

    @given(st.lists(voice))
    def test_a_device_that_got_the_messages_and_the_silence_is_silent(
        self, messages: list[bytes]
    ) -> None:
        sounding, device = Sounding(), Synthesizer()
        for data in messages:
            sounding.note(data)
            device.play(data)
        assert device.sounds == sounding.touched
        for data in sounding.silence():
            device.play(data)
        assert not device.sounds
