"""One sender's messages that wait for their time. Pure."""

import bisect
from dataclasses import dataclass
from operator import attrgetter

from midipool.midi_clock import MidiEvent
from midipool.midi_kinds import is_note_off, is_note_on, note_off_of
from midipool.timeline_chain import TimelineChain
from midipool_client.sharing.song_place import Place, due

_when = attrgetter("due_us", "order")


@dataclass(slots=True)
class _Waiting:
    due_us: int
    order: int
    data: bytes
    place: Place | None
    reached: bool = True


class NoteSchedule:
    """Messages in the order in which they are due; those of one note never overtake one another."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._latest: dict[bytes, int] = {}
        """When the last message of each note is due, by the note's note-off."""
        self._order = 0
        self._chain: TimelineChain | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, data: bytes, due_us: int, place: Place | None = None) -> None:
        """A message that is due at room time `due_us`, or whenever the song gets to `place`."""
        self._order += 1
        entry = _Waiting(due_us, self._order, data, place)
        if (note := _note(data)) is not None:
            if is_note_on(data):
                self._end_sooner(note, due_us)
            entry.due_us = max(due_us, self._latest.get(note, due_us))
            self._latest[note] = entry.due_us
        bisect.insort(self._waiting, entry, key=_when)

    def follow(self, chain: TimelineChain, now_us: int) -> None:
        """The room's timelines as they are now: what waits for places is due at other times.

        A note that the song stops in front of is left out, and all else comes at the stop.
        """
        before, self._chain = self._chain, chain
        if before is None or before == chain:
            return
        latest: dict[bytes, int] = {}
        for entry in sorted(self._waiting, key=attrgetter("order")):
            if entry.place is not None:
                # Timelines that are over may be in the old chain only.
                kept = due(entry.place, before, now_us).kept
                entry.due_us, entry.reached, entry.place = due(kept, chain, now_us)
            if (note := _note(entry.data)) is not None:
                entry.due_us = max(entry.due_us, latest.get(note, entry.due_us))
                latest[note] = entry.due_us
        self._latest |= latest
        self._waiting.sort(key=_when)

    def release(self, until_us: int) -> list[MidiEvent]:
        """Take out what is due at or before `until_us`."""
        number = bisect.bisect_right(self._waiting, until_us, key=lambda entry: entry.due_us)
        taken, self._waiting = self._waiting[:number], self._waiting[number:]
        return [
            MidiEvent(entry.due_us, entry.data)
            for entry in taken
            if entry.reached or not is_note_on(entry.data)
        ]

    def next_us(self) -> int | None:
        """When the next message is due."""
        return self._waiting[0].due_us if self._waiting else None

    def clear(self) -> None:
        """Forget all that waits."""
        self._waiting.clear()
        self._latest.clear()

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        for entry in self._waiting:
            entry.due_us += by_us
            entry.place = entry.place and entry.place.moved_by(by_us)
        self._latest = {note: due_us + by_us for note, due_us in self._latest.items()}
        self._chain = self._chain and self._chain.moved_by(by_us)

    def _end_sooner(self, note: bytes, latest_us: int) -> None:
        """Let what waits of a note happen before it is played again."""
        if self._latest.get(note, latest_us) <= latest_us:
            return
        late = [e for e in self._waiting if e.due_us > latest_us and _note(e.data) == note]
        for entry in late:
            entry.due_us, entry.place = latest_us, None
        if late:
            self._latest[note] = latest_us
            self._waiting.sort(key=_when)


def _note(data: bytes) -> bytes | None:
    return note_off_of(data) if is_note_on(data) or is_note_off(data) else None
