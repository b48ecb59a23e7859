"""What messages say of the song."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.daw.control import (
    Continue,
    LoopArea,
    MmcLocate,
    MmcPlay,
    MmcStop,
    SongPosition,
    Start,
    Stop,
    Tick,
    TimeCodeRate,
    control_events,
    loop_area_bytes,
)
from midipool.daw.mmc import FrameRate
from midipool.daw.parser import MidiMessage
from midipool.errors import InvalidValue
from midipool.meter import Loop
from midipool.midi_clock import song_position_bytes


def events(data: bytes) -> tuple[object, ...]:
    return control_events(MidiMessage(70, data))


@pytest.mark.parametrize(
    ("data", "kind"), [(b"\xf8", Tick), (b"\xfa", Start), (b"\xfb", Continue), (b"\xfc", Stop)]
)
def test_real_time_bytes_are_clock_and_transport(
    data: bytes, kind: type[Tick | Start | Continue | Stop]
) -> None:
    assert events(data) == (kind(70),)


@given(st.integers(0, 16383))
def test_a_song_position_is_read_as_midipool_writes_it(sixteenths: int) -> None:
    assert events(song_position_bytes(sixteenths * 6)) == (SongPosition(70, sixteenths),)


def test_mmc_says_what_its_commands_say() -> None:
    both = b"\xf0\x7f\x7f\x06\x44\x06\x01\x60\x00\x04\x00\x00\x02\xf7"
    assert events(both) == (MmcLocate(70, Fraction(4), FrameRate.FPS_30), MmcPlay(70))
    assert events(b"\xf0\x7f\x00\x06\x01\xf7") == (MmcStop(70),)


def test_mmc_for_another_device_says_nothing() -> None:
    message = MidiMessage(0, b"\xf0\x7f\x03\x06\x01\xf7")
    assert control_events(message, device=4) == ()
    assert control_events(message, device=3) == (MmcStop(0),)


@pytest.mark.parametrize("rate", FrameRate)
def test_time_code_says_its_frame_rate(rate: FrameRate) -> None:
    said = (TimeCodeRate(70, rate),)
    assert events(bytes((0xF1, 0x70 | rate.value << 1 | 1))) == said
    full = bytes((0xF0, 0x7F, 0x7F, 1, 1, rate.value << 5 | 1, 2, 3, 4, 0xF7))
    assert events(full) == said


@given(st.integers(1, 16382), st.integers(1, 16382))
def test_a_loop_is_read_as_it_is_written(start: int, length: int) -> None:
    loop = Loop(start, min(start + length, 16383))
    assert events(loop_area_bytes(loop)) == (LoopArea(70, loop),)


def test_the_loop_message_is_the_one_that_is_documented() -> None:
    assert loop_area_bytes(Loop(5, 200)) == bytes.fromhex("f07d6d5001 0500 4801 f7")
    assert loop_area_bytes(None) == bytes.fromhex("f07d6d5001f7")
    assert events(loop_area_bytes(None)) == (LoopArea(70, None),)


def test_a_loop_past_what_midi_can_count_is_refused() -> None:
    with pytest.raises(InvalidValue, match="up to 16383"):
        loop_area_bytes(Loop(5, 16384))


@pytest.mark.parametrize(
    "text",
    [
        "f07d6d5001 0500 0500 f7",  # ends where it starts
        "f07d6d5001 0000 0500 f7",  # there is no bar 0
        "f07d6d5001 0500 f7",  # no end
        "f07d6d5001 0500 0600 00 f7",  # more than a loop
        "f07d6d5002 0500 0600 f7",  # another message
        "f07f7f0644 f7",  # damaged MMC
        "903c40",
        "b07b00",
        "f6",
        "fe",
        "f16f",
        "f07f7f0101 600500 f7",  # half a full frame
    ],
)
def test_everything_else_is_no_control(text: str) -> None:
    assert events(bytes.fromhex(text)) == ()


@given(st.binary(max_size=30))
def test_no_message_at_all_breaks_it(data: bytes) -> None:
    events(data)
    events(bytes.fromhex("f07d6d5001") + data)
