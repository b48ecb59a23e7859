"""MIDI of a recording comes at its place, and nothing goes on sounding."""

import pytest

from midipool.errors import InvalidValue
from midipool.messages import TimedMidi
from midipool.timeline import Timeline
from midipool_client.playback.notes import Note, NotePlayback, notes_of
from midipool_client.playback.pieces import TakePiece
from midipool_client.recording.midi_file import midi_file
from midipool_client.recording.tempo_map import grid_of

ON, OFF = bytes.fromhex("903c40"), bytes.fromhex("803c40")
BEGIN_US = 50_000_000


def playback(*notes: Note) -> NotePlayback:
    made = NotePlayback(notes)
    made.give([], BEGIN_US - 1_000_000)
    return made


def test_reads_what_a_recording_wrote() -> None:
    timelines = (
        Timeline(playing=True, mbpm=133_700),
        Timeline(origin_time_us=3_000_000, playing=True, mbpm=90_000),
    )
    played = [("bass", 1_500_000, ON), ("bass", 2_000_000, OFF), ("drums", 4_321_000, ON)]
    notes = notes_of(midi_file("demo", grid_of(timelines, 8_000_000), played))
    assert [(note.who, note.data) for note in notes] == [(who, data) for who, _, data in played]
    for note, (_, at_us, _) in zip(notes, played, strict=True):
        assert abs(note.take_us - at_us) < 1_000


def test_refuses_what_is_no_midi_file() -> None:
    for data in (b"", b"MThd", b"rubbish" * 10):
        with pytest.raises(InvalidValue, match=r"midi\.mid"):
            notes_of(data)


def test_gives_each_once_at_its_time() -> None:
    made = playback(Note(100_000, "bass", ON), Note(1_150_000, "bass", OFF))
    pieces = [TakePiece(BEGIN_US, BEGIN_US + 8_000_000, 0)]
    given = [made.give(pieces, BEGIN_US + n * 100_000) for n in range(15)]
    assert [event for events in given for event in events] == [
        TimedMidi(BEGIN_US + 100_000, ON.hex()),
        TimedMidi(BEGIN_US + 1_150_000, OFF.hex()),
    ]
    assert len(given[2]) == 1
    assert not made.holds


def test_says_when_the_next_is_due() -> None:
    made = playback(Note(100_000, "bass", ON), Note(1_150_000, "bass", OFF))
    pieces = [TakePiece(BEGIN_US, BEGIN_US + 3_000_000, 0)]
    assert made.next_us([]) is None
    assert made.next_us(pieces) == BEGIN_US + 100_000
    # Not again what was given, and then where all ends.
    made.give(pieces, BEGIN_US + 100_001)
    assert made.next_us(pieces) == BEGIN_US + 1_150_000
    made.give(pieces, BEGIN_US + 1_150_001)
    assert made.next_us(pieces) == BEGIN_US + 3_000_000
    looped = [TakePiece(BEGIN_US, BEGIN_US + 1_000_000, 0), TakePiece(BEGIN_US + 1_000_000, 0, 0)]
    assert playback(Note(0, "bass", ON)).next_us(looped) == BEGIN_US


def test_ends_what_sounds_where_a_loop_jumps_and_where_it_stops() -> None:
    made = playback(Note(900_000, "bass", ON), Note(1_500_000, "bass", OFF))
    pieces = [
        TakePiece(BEGIN_US, BEGIN_US + 1_000_000, 0),
        TakePiece(BEGIN_US + 1_000_000, BEGIN_US + 2_000_000, 0),
    ]
    given = made.give(pieces, BEGIN_US + 3_000_000)
    assert [(event.time_us - BEGIN_US, event.data) for event in given] == [
        (900_000, ON.hex()),
        (1_000_000, OFF.hex()),
        (1_900_000, ON.hex()),
        (2_000_000, OFF.hex()),
    ]
    assert not made.holds


def test_who_is_muted_is_silent_but_ends_what_sounds() -> None:
    made = playback(Note(0, "bass", ON), Note(500_000, "bass", OFF), Note(600_000, "bass", ON))
    pieces = [TakePiece(BEGIN_US, BEGIN_US + 8_000_000, 0)]
    assert len(made.give(pieces, BEGIN_US + 100_000)) == 1
    assert made.holds
    muted = made.give(pieces, BEGIN_US + 900_000, {"bass"})
    assert [event.data for event in muted] == [OFF.hex()]
