"""What one other member plays, on its way to our port. Pure."""

from collections.abc import Iterable

from midipool.midi_clock import MidiEvent
from midipool.midi_kinds import (
    ALL_SOUND_OFF,
    RESET_CONTROLLERS,
    channel_of,
    is_note_off,
    is_note_on,
    mode_of,
    note_off_of,
)
from midipool.midi_notes import Sounding
from midipool.timeline_chain import TimelineChain
from midipool_client.sharing.note_schedule import NoteSchedule
from midipool_client.sharing.options import HearAs
from midipool_client.sharing.song_place import bars_later, next_line_us

STALLED_US = 1_000_000
# How long before its time a message is given away for the port: then it cannot be taken back.
RELEASE_US = 100_000
MAX_WAITING = 4096
# A sender whose clock is off by more than this is not believed when it says that it played.
MAX_AGE_US = 2_000_000
# JACK hands a period over when it begins, so that what is in it is still to come: 8,192 frames.
MAX_EARLY_US = 200_000


class MidiHearing:
    """Follows one sender: nothing of it sounds on the port that it has ended, or could not end.

    Messages come filtered and on our channels. What returns events returns all that is to be put
    on the port from then on, in order.
    """

    def __init__(self, hear_as: HearAs, now_us: int) -> None:
        self._hear_as = hear_as
        self._held = Sounding()
        """What sounds by what has come."""
        self._on_port = Sounding()
        """What sounds by what was given away."""
        self._schedule = NoteSchedule()
        self._delays: dict[bytes, int] = {}
        """How much later than it came a note-on is due, by its note-off; of `grid`."""
        self._at_once: set[bytes] = set()
        """Notes that were played while the song stood, by their note-offs; of `bars`."""
        self._latest_on_us = now_us
        self._came_us = now_us
        self._given_us = now_us

    def came(self, now_us: int) -> None:
        """The sender is still there."""
        self._came_us = now_us

    def take(self, data: bytes, played_us: int, now_us: int, chain: TimelineChain | None) -> None:
        """A message that came at `now_us` and was played at `played_us`, both room time."""
        for message in self._own(data):
            self._held.note(message)
            self._place(message, played_us, now_us, chain)

    def end(self, now_us: int, chain: TimelineChain | None) -> None:
        """The sender will not end what it holds: that ends as if it did now."""
        for message in self._held.silence():
            self._place(message, now_us, now_us, chain)

    def stalled(self, now_us: int) -> bool:
        """Whether the sender holds notes and was not heard of for too long."""
        deadline = self._stall_us()
        return deadline is not None and now_us >= deadline

    def give(self, now_us: int, chain: TimelineChain | None) -> list[MidiEvent]:
        """What is due about now; a note-off or a second note-on only where its note sounds."""
        if chain is not None:
            self._schedule.follow(chain, now_us)
        if len(self._schedule) > MAX_WAITING:
            return self.leave(now_us)
        given: list[MidiEvent] = []
        for time_us, data in self._schedule.release(now_us + RELEASE_US):
            sounds = self._on_port.holds(data) if is_note_on(data) or is_note_off(data) else False
            if is_note_off(data) and not sounds:
                continue
            if is_note_on(data) and sounds:
                given.append(self._given(time_us, note_off_of(data), now_us))
            given.append(self._given(time_us, data, now_us))
        return given

    def leave(self, now_us: int) -> list[MidiEvent]:
        """The sender has gone: what waits is dropped, what sounds is ended."""
        self._schedule.clear()
        self._held.silence()
        self._delays.clear()
        self._at_once.clear()
        self._latest_on_us = now_us
        return [self._given(now_us, data, now_us) for data in self._on_port.silence()]

    @property
    def idle(self) -> bool:
        """Whether nothing sounds, waits, or is moved."""
        return not len(self._schedule) and not self._held.touched and not self._on_port.touched

    def next_deadline(self) -> int | None:
        """Room time at which `give` or `end` has something to do."""
        next_us = self._schedule.next_us()
        times = [] if next_us is None else [next_us - RELEASE_US]
        stall_us = self._stall_us()
        return min(times if stall_us is None else [*times, stall_us], default=None)

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        self._schedule.shift(by_us)
        self._latest_on_us += by_us
        self._came_us += by_us
        self._given_us += by_us

    # ---- inside ----

    def _stall_us(self) -> int | None:
        return self._came_us + STALLED_US if self._held.active else None

    def _own(self, data: bytes) -> Iterable[bytes]:
        """A message so put that nobody else's notes end with this sender's."""
        mode = mode_of(data)
        if mode is not None:
            # On the port, All Notes Off would end the notes of other members too.
            channel = channel_of(data)
            if mode == RESET_CONTROLLERS:
                return self._held.rest(channel)
            return (self._held.silence if mode == ALL_SOUND_OFF else self._held.end_notes)(channel)
        return (data,)

    def _place(self, data: bytes, played_us: int, now_us: int, chain: TimelineChain | None) -> None:
        match self._hear_as.how:
            case "now":
                self._schedule.add(data, now_us)
            case "grid":
                self._schedule.add(data, self._on_grid(data, now_us, chain))
            case "bars":
                self._bars_later(data, played_us, now_us, chain)

    def _on_grid(self, data: bytes, now_us: int, chain: TimelineChain | None) -> int:
        """When a message is due: note-ons on the grid, note-offs after the note's own length."""
        if is_note_on(data):
            lines = self._hear_as.lines
            due_us = now_us if chain is None else next_line_us(chain, now_us, lines)
            self._delays[note_off_of(data)] = due_us - now_us
            self._latest_on_us = max(due_us, self._latest_on_us)
            return due_us
        if is_note_off(data):
            return now_us + self._delays.pop(note_off_of(data), 0)
        # A controller that was moved behind a note must not come in front of it.
        return max(now_us, self._latest_on_us)

    def _bars_later(
        self, data: bytes, played_us: int, now_us: int, chain: TimelineChain | None
    ) -> None:
        believed = now_us - MAX_AGE_US <= played_us <= now_us + MAX_EARLY_US
        played_us = played_us if believed else now_us
        place = None if chain is None else bars_later(chain, played_us, self._hear_as.bars)
        if is_note_on(data) and place is None:
            self._at_once.add(note_off_of(data))
        elif is_note_off(data) and note_off_of(data) in self._at_once:
            self._at_once.remove(note_off_of(data))
            place = None
        if place is None or place.time_us <= now_us:
            self._schedule.add(data, now_us)
        else:
            self._schedule.add(data, place.time_us, place)

    def _given(self, time_us: int, data: bytes, now_us: int) -> MidiEvent:
        """An event for the port: not before now, nor before what was given away already."""
        self._on_port.note(data)
        self._given_us = max(time_us, now_us, self._given_us)
        return MidiEvent(self._given_us, data)
