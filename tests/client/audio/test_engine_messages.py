"""What client and audio engine say to one another."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.audio.encoding import Encoding
from midipool.clock_map import ClockMap
from midipool.errors import InvalidMessage
from midipool_client.audio.engine_messages import (
    AudioProblem,
    AudioReady,
    AudioStatus,
    FromAudioEngine,
    Greet,
    NoSeat,
    Rare,
    Raw,
    RoomClock,
    Seat,
    Send,
    ToAudioEngine,
    Voice,
    Voices,
    VoiceStatus,
    Way,
    Ways,
    decode_from_engine,
    decode_to_engine,
    encode,
)

RELAY = ("192.0.2.1", 4000)


def body_of(data: bytes) -> bytes:
    assert int.from_bytes(data[:4], "big") == len(data) - 4
    return data[4:]


@pytest.mark.parametrize(
    "message",
    [
        Seat(0xFFFF, b"\x00\xff" * 16, 2**32 - 1, after=2**48 - 1),
        NoSeat(),
        Voices(
            [Voice("ada", 7, 2, Encoding(128, 4, 4), 12_000, by_bars=True, keep_us=9, gain=0.5)]
        ),
        Send(Encoding(256, 60, 60), 2),
        Ways([Way(("2001:db8::1", 5000)), Way(RELAY, for_us=500_000)], RELAY),
        RoomClock(ClockMap(1, 2, 1e-3, 4, -1e-5)),
        Raw(RELAY, b"\x00\x01\xff"),
        Greet(RELAY, -(2**62)),
    ],
)
def test_the_engine_understands_all_that_it_is_told(message: ToAudioEngine) -> None:
    assert decode_to_engine(body_of(encode(message))) == message


@pytest.mark.parametrize(
    "message",
    [
        AudioReady("JACK", 48_000, 128, realtime=False, port=40_000),
        Rare(True, RELAY, b"\x00\x01", 2**62),
        AudioStatus([VoiceStatus("ada", 1, latency_us=None)], 0.1, 0.2, 9, {"replayed": 1}, 0, []),
        AudioProblem("libroc is missing"),
    ],
)
def test_the_client_understands_all_that_the_engine_says(message: FromAudioEngine) -> None:
    assert decode_from_engine(body_of(encode(message))) == message


@given(st.binary(max_size=80))
def test_rubbish_is_refused_or_a_message_and_nothing_else_happens(body: bytes) -> None:
    with contextlib.suppress(InvalidMessage):
        decode_to_engine(body)
    with contextlib.suppress(InvalidMessage):
        decode_from_engine(body)


def test_what_is_for_the_other_side_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="to the audio engine"):
        decode_to_engine(body_of(encode(AudioProblem("x"))))
    with pytest.raises(InvalidMessage, match="from the audio engine"):
        decode_from_engine(body_of(encode(NoSeat())))
