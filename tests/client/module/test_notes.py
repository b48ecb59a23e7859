"""Notes go out at their time, and none hangs."""

import mido
import pytest

from midipool.errors import InvalidValue, Refused
from midipool.messages import Midi, MidiFrom, TimedMidi
from midipool_client.module.notes import MOST_WAITING, HeardNotes, NotesToPlay, midi_bytes

SECOND = 1_000_000
ON, OFF = bytes((0x90, 60, 64)), bytes((0x80, 60, 64))


def came(name: str, *data: bytes, silence: bool = False) -> MidiFrom:
    return MidiFrom(name, [TimedMidi(SECOND, each.hex()) for each in data], silence)


def test_notes_are_given_in_order_when_they_are_due() -> None:
    notes = NotesToPlay()
    notes.add(3 * SECOND, OFF)
    notes.add(2 * SECOND, ON)
    assert notes.next_us() == 2 * SECOND
    assert notes.give(SECOND, 1000) == []
    assert notes.give(2 * SECOND - 900, 1000) == [Midi([TimedMidi(2 * SECOND, ON.hex())])]
    # Who holds a note says now and then that it is still there.
    assert notes.next_us() == 2 * SECOND - 900 + 250_000
    assert notes.give(2 * SECOND + 250_000, 1000) == [Midi()]
    assert notes.give(3 * SECOND + 500_000, 0) == [Midi([TimedMidi(3 * SECOND, OFF.hex())])]
    assert notes.next_us() is None


def test_a_flood_of_notes_is_refused_and_none_of_those_before_is_lost() -> None:
    notes = NotesToPlay()
    for _ in range(MOST_WAITING):
        notes.add(SECOND, ON)
    with pytest.raises(Refused, match="wait for their time"):
        notes.add(SECOND, ON)
    assert sum(len(message.events) for message in notes.give(SECOND, 0)) == MOST_WAITING


@pytest.mark.parametrize("how", ["stalled", "gone", "silenced"])
def test_what_another_one_holds_ends_when_it_cannot_end_it(how: str) -> None:
    notes = HeardNotes()
    notes.came(came("keys", ON), SECOND)
    assert [event[1:] for event in notes.take()] == [("keys", ON)]
    match how:
        case "stalled":
            notes.tend(2 * SECOND - 1, ["keys"])
            assert notes.take() == ()
            notes.tend(2 * SECOND, ["keys"])
        case "gone":
            notes.tend(SECOND + 1, [])
        case "silenced":
            notes.came(came("keys", silence=True), SECOND + 1)
    assert [event.data for event in notes.take()] == [OFF]


def test_who_does_not_read_loses_all_and_every_note_ends() -> None:
    notes = HeardNotes()
    for _ in range(MOST_WAITING + 1):
        notes.came(came("keys", ON), SECOND)
    assert [event.data for event in notes.take()] == [OFF]
    assert notes.dropped == MOST_WAITING + 1


def test_messages_are_bytes_or_what_mido_makes() -> None:
    assert midi_bytes(ON) == midi_bytes(mido.Message("note_on", note=60, velocity=64)) == ON
    assert midi_bytes([0x90, 60, 64]) == ON
    for wrong in (b"", b"\xf8", b"\x90\x3c", "note", 3, None, [999]):
        with pytest.raises(InvalidValue, match="message"):
            midi_bytes(wrong)
