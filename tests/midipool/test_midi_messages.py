"""The messages that carry what members play."""

import json
from typing import Any

import pytest

from midipool import messages
from midipool.errors import InvalidMessage
from midipool.messages import MAX_MESSAGE_BYTES, MAX_MIDI_EVENTS, MIDI_RULE, Midi, timed_midi
from midipool.midi_kinds import kind_of


def midi(*events: Any) -> str:
    return json.dumps({"type": "midi", "events": events})


def refused(text: str) -> InvalidMessage:
    with pytest.raises(InvalidMessage) as caught:
        messages.decode_client(text)
    return caught.value


def test_an_event_is_a_time_and_hexadecimal_bytes() -> None:
    message = Midi([timed_midi(4_000_000, b"\x90\x3c\x40")])
    assert json.loads(messages.encode(message)) == {
        "type": "midi",
        "events": [[4_000_000, "903c40"]],
    }


def test_a_message_without_events_says_that_one_is_still_here() -> None:
    assert messages.encode(Midi()) == b'{"type":"midi"}'
    assert messages.decode_client('{"type":"midi"}') == Midi()


@pytest.mark.parametrize("data", ["803c40", "9f0000", "b07f7f", "c07f", "d000", "e0007f", "f0f7"])
def test_channel_messages_and_sysex_pass(data: str) -> None:
    assert kind_of(bytes.fromhex(data)) is not None
    assert isinstance(messages.decode_client(midi([0, data])), Midi)


@pytest.mark.parametrize(
    "data",
    [
        # Nobody starts, stops or clocks another one's machine,
        *("f8", "fa", "fb", "fc", "f20000", "f300", "fe", "ff", "f0f8f7"),
        # nor cuts a message in two.
        *("", "90", "903c", "903c4000", "908040", "c00000", "7f", "f0", "f07d", "f080f7"),
        *("903C40", "903c40\n", "0x90", "9 3c40", "f0" + 255 * "00" + "f7"),
    ],
)
def test_anything_else_is_refused_in_words(data: str) -> None:
    error = refused(midi([0, "903c40"], [0, data]))
    assert error.field == "events[1][1]"
    assert MIDI_RULE in error.text or "length" in error.text
    assert "regex" not in error.text


def test_too_many_events_are_refused() -> None:
    error = refused(midi(*[[0, "903c40"]] * (MAX_MIDI_EVENTS + 1)))
    assert error.field == "events"
    assert str(MAX_MIDI_EVENTS) in error.text


def test_the_largest_message_fits_into_what_a_server_takes() -> None:
    longest = timed_midi(-(2**52), b"\xf0" + bytes(254) + b"\xf7")
    data = messages.encode(Midi([longest] * MAX_MIDI_EVENTS))
    assert len(data) <= MAX_MESSAGE_BYTES
    assert isinstance(messages.decode_client(data), Midi)


@pytest.mark.parametrize("event", [[0], [0, "903c40", 1], ["0", "903c40"], [0.5, "903c40"], {}, 5])
def test_an_event_of_another_shape_is_refused(event: Any) -> None:
    refused(midi(event))
