"""What was shared in MIDI while a recording was made, on its way into the room again. Pure."""

import io
from bisect import bisect_left
from collections.abc import Collection, Sequence
from typing import NamedTuple

import mido

from midipool.errors import InvalidValue
from midipool.messages import TimedMidi
from midipool.midi_notes import Sounding
from midipool_client.playback.pieces import TakePiece


class Note(NamedTuple):
    """A message that somebody played, µs into the recording."""

    take_us: int
    who: str
    data: bytes


def notes_of(file: bytes) -> list[Note]:
    """All of a recording's MIDI file; raises InvalidValue."""
    try:
        midi = mido.MidiFile(file=io.BytesIO(file))
        names = [track.name for track in midi.tracks[1:]]
        timed = _timed(midi)
    except (EOFError, OSError, ValueError, IndexError, KeyError) as error:
        raise InvalidValue("midi.mid", f"is no MIDI file of ours ({error})") from None
    return [Note(round(at * 1e6), names[track - 1], data) for at, track, data in timed if track]


def _timed(midi: mido.MidiFile) -> list[tuple[float, int, bytes]]:
    """(seconds, track, message) of all but what is about the file itself."""
    messages = []
    for number, track in enumerate(midi.tracks):
        tick = 0
        for message in track:
            tick += message.time
            messages.append((tick, number, message))
    messages.sort(key=lambda entry: entry[:2])
    found, seconds, at_tick, tempo = [], 0.0, 0, 500_000
    for tick, number, message in messages:
        seconds += mido.tick2second(tick - at_tick, midi.ticks_per_beat, tempo)
        at_tick = tick
        if message.type == "set_tempo":
            tempo = message.tempo
        elif not message.is_meta:
            found.append((seconds, number, bytes(message.bytes())))
    return found


class NotePlayback:
    """Gives what is due; what sounds where the recording breaks off is ended there."""

    def __init__(self, notes: Sequence[Note]) -> None:
        self._notes = list(notes)
        self._times = [note.take_us for note in notes]
        self._sounding = Sounding()
        self._given_us: int | None = None
        """Room time up to which all was given."""
        self._next_us: int | None = None
        """The place of the recording that would go on there."""

    @property
    def holds(self) -> bool:
        """Whether notes sound: then the room wants to hear of us."""
        return bool(self._sounding.active)

    def give(
        self, pieces: Sequence[TakePiece], until_us: int, muted: Collection[str] = ()
    ) -> list[TimedMidi]:
        """All that is due before room time `until_us`, without that of these players."""
        if self._given_us is None:
            self._given_us = until_us
            return []
        begin_us, given = self._given_us, list[TimedMidi]()
        for piece in pieces:
            start_us, stop_us = max(piece.play_us, begin_us), min(piece.play_end_us, until_us)
            if start_us >= stop_us:
                continue
            place_us = piece.take_us + start_us - piece.play_us
            if self._next_us != place_us or start_us > self._given_us:
                given += self._silence(min(self._given_us, start_us))
            given += self._between(place_us, stop_us - start_us, start_us, muted)
            self._given_us, self._next_us = stop_us, place_us + stop_us - start_us
        if self._given_us < until_us:
            given += self._silence(self._given_us)
            self._given_us, self._next_us = until_us, None
        return given

    def next_us(self, pieces: Sequence[TakePiece]) -> int | None:
        """When `give` has something to give next; None while that is not known."""
        for piece in pieces:
            begin_us = max(piece.play_us, self._given_us or piece.play_us)
            if begin_us >= piece.play_end_us:
                continue
            place_us = piece.take_us + begin_us - piece.play_us
            first = bisect_left(self._times, place_us)
            if first < len(self._times):
                due_us = begin_us + self._times[first] - place_us
                return min(due_us, piece.play_end_us)
            return piece.play_end_us
        return None

    def shift(self, by_us: int) -> None:
        """The room's clock shows so much more."""
        self._given_us = None if self._given_us is None else self._given_us + by_us

    def _between(
        self, place_us: int, length_us: int, room_us: int, muted: Collection[str]
    ) -> list[TimedMidi]:
        first = bisect_left(self._times, place_us)
        last = bisect_left(self._times, place_us + length_us)
        found = []
        for note in self._notes[first:last]:
            if note.who in muted and not self._sounding.ends(note.data):
                continue
            self._sounding.note(note.data)
            found.append(TimedMidi(room_us + note.take_us - place_us, note.data.hex()))
        return found

    def _silence(self, at_us: int) -> list[TimedMidi]:
        return [TimedMidi(at_us, data.hex()) for data in self._sounding.silence()]
