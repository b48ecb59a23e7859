"""Bytes of a port to messages, whatever pieces they come in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.daw.parser import MidiMessage, MidiParser

data_bytes = st.integers(0, 0x7F)
real_time = st.sampled_from([b"\xf8", b"\xfa", b"\xfb", b"\xfc", b"\xfe", b"\xff"])


def _with_data(status: int, count: int) -> st.SearchStrategy[bytes]:
    data = st.lists(data_bytes, min_size=count, max_size=count)
    return data.map(lambda values: bytes((status, *values)))


_channel = st.sampled_from([0x80, 0x93, 0xA1, 0xBF, 0xE7]).flatmap(lambda s: _with_data(s, 2))
_short = st.sampled_from([0xC2, 0xDF]).flatmap(lambda s: _with_data(s, 1))
_common = st.one_of(_with_data(0xF1, 1), _with_data(0xF2, 2), _with_data(0xF3, 1), st.just(b"\xf6"))
_sysex = st.lists(data_bytes, max_size=40).map(lambda data: b"\xf0" + bytes(data) + b"\xf7")
messages = st.one_of(_channel, _short, _common, _sysex)


def parsed(*pieces: bytes, parser: MidiParser | None = None) -> list[bytes]:
    parser = parser or MidiParser()
    return [message.data for piece in pieces for message in parser.feed(piece, 0)]


@given(st.lists(st.one_of(messages, real_time), max_size=20), st.data())
def test_messages_come_out_as_they_went_in_however_they_are_cut(
    sent: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parsed(*pieces) == sent


@given(st.lists(messages, min_size=1, max_size=8), st.lists(real_time, max_size=8), st.data())
def test_real_time_bytes_inside_of_a_message_break_nothing(
    sent: list[bytes], clocks: list[bytes], data: st.DataObject
) -> None:
    stream = bytearray(b"".join(sent))
    for clock in clocks:
        stream[(at := data.draw(st.integers(0, len(stream)))) : at] = clock
    parser = MidiParser()
    out = parsed(bytes(stream), parser=parser)
    assert [message for message in out if message[0] < 0xF8] == sent
    assert sorted(message for message in out if message[0] >= 0xF8) == sorted(clocks)
    assert parser.faults == MidiParser().faults


def test_a_clock_inside_of_a_sysex_comes_at_once_and_the_sysex_is_whole() -> None:
    parser = MidiParser()
    assert parser.feed(b"\xf0\x7d\xf8\x01", 10) == [MidiMessage(10, b"\xf8")]
    assert parser.feed(b"\x02\xf7", 20) == [MidiMessage(20, b"\xf0\x7d\x01\x02\xf7")]


def test_a_message_has_the_time_of_its_last_byte() -> None:
    parser = MidiParser()
    assert parser.feed(b"\xf2\x10", 100) == []
    assert parser.feed(b"\x02\xfb", 250) == [
        MidiMessage(250, b"\xf2\x10\x02"),
        MidiMessage(250, b"\xfb"),
    ]


def test_running_status_is_expanded_also_across_clocks() -> None:
    assert parsed(b"\x90\x3c\x40\x3e\xf8\x41\x3c\x00") == [
        b"\x90\x3c\x40",
        b"\xf8",
        b"\x90\x3e\x41",
        b"\x90\x3c\x00",
    ]


@pytest.mark.parametrize(
    "common", [b"\xf2\x00\x00", b"\xf6", b"\xf1\x20", b"\xf0\x01\xf7", b"\xf4"]
)
def test_system_common_ends_running_status(common: bytes) -> None:
    parser = MidiParser()
    out = parsed(b"\x90\x3c\x40" + common + b"\x3e\x41", parser=parser)
    assert b"\x90\x3e\x41" not in out
    assert parser.faults.stray_bytes == 2


def test_a_new_status_drops_the_half_message_before_it() -> None:
    parser = MidiParser()
    assert parsed(b"\x90\x3c\xf2\x01\x02", parser=parser) == [b"\xf2\x01\x02"]
    assert parsed(b"\xf0\x7d\x01\x80\x3c\x00", parser=parser) == [b"\x80\x3c\x00"]
    assert parsed(b"\xf2\x01\xf7\xf8", parser=parser) == [b"\xf8"]
    assert parser.faults.cut_off == 3


def test_what_midi_does_not_define_is_left_out() -> None:
    parser = MidiParser()
    assert parsed(b"\xf4\xf5\xf9\xfd\xf8", parser=parser) == [b"\xf8"]
    assert parser.faults.undefined == 4


def test_an_undefined_real_time_byte_breaks_no_message() -> None:
    assert parsed(b"\xf0\x01\xf9\x02\xfd\xf7\x90\x3c\xf9\x40") == [
        b"\xf0\x01\x02\xf7",
        b"\x90\x3c\x40",
    ]


def test_data_without_a_status_is_dropped() -> None:
    parser = MidiParser()
    assert parsed(b"\x00\x7f\xf7\xf8", parser=parser) == [b"\xf8"]
    assert parser.faults.stray_bytes == 3


def test_a_sysex_longer_than_the_maximum_is_skipped_to_its_end() -> None:
    parser = MidiParser(max_sysex_bytes=6)
    assert parsed(b"\xf0\x01\x02\x03\x04\xf7", parser=parser) == [b"\xf0\x01\x02\x03\x04\xf7"]
    too_long = b"\xf0\x01\x02\x03\xf8\x04\x05\x06\xf7"
    assert parsed(too_long + b"\xf2\x01\x02", parser=parser) == [b"\xf8", b"\xf2\x01\x02"]
    assert parsed(b"\xf0\x01\x02\x03\x04\x05\xf7", parser=parser) == []
    assert parser.faults.too_long == 2
    assert parser.faults.stray_bytes == 0


def test_a_new_status_ends_a_sysex_that_is_being_skipped() -> None:
    parser = MidiParser(max_sysex_bytes=3)
    assert parsed(b"\xf0\x01\x02\x03\x90\x3c\x40", parser=parser) == [b"\x90\x3c\x40"]


def test_an_endless_sysex_takes_no_memory_and_hides_no_clock() -> None:
    parser = MidiParser()
    assert parser.feed(b"\xf0", 0) == []
    for _ in range(200):
        assert parsed(b"\x01" * 1000 + b"\xf8", parser=parser) == [b"\xf8"]
        assert len(parser._half) <= 256
    assert parsed(b"\xf7\x90\x3c\x40", parser=parser) == [b"\x90\x3c\x40"]


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_no_bytes_at_all_break_it(pieces: list[bytes]) -> None:
    parser = MidiParser(max_sysex_bytes=16)
    for message in parsed(*pieces, parser=parser):
        assert message[0] >= 0x80
        assert len(message) <= 16
        assert all(byte < 0x80 for byte in message[1:-1])
    assert len(parser._half) <= 16
