"""The lane for notes of a port's spooler: what of it is to be discarded and sent anew. Pure.

The spooler has one queue to a lane, and plays it in the order in which events came. So an event
that is due before others goes in by taking those back: discard from its time, and send it and them.
"""

import bisect
import copy
from collections.abc import Iterable
from operator import itemgetter

from midipool.midi_clock import MidiEvent
from midipool.midi_kinds import ALL_NOTES_OFF, CONTROLLER, is_note_on
from midipool.midi_notes import Sounding

# What is due sooner may be on its way to the port, and is not taken back.
MARGIN_US = 25_000
# The spooler's lane holds 1,024 events.
MAX_BATCH = 256
MAX_HANDED = 512
BATCH_PAUSE_US = 10_000
# A sink has surely played what was due so long ago.
PLAYED_US = 10_000
MAX_WAITING = 8192

_time = itemgetter(0)


class NoteLane:
    """Sorts the events of all senders into one lane; memory and batches are bounded."""

    def __init__(self) -> None:
        self.latency_us = 0
        """How far before its time an event may leave the spooler, as the engine says."""
        self.overruns = 0
        """How often more came than can wait: then it is dropped, and all notes are ended."""
        self._waiting: list[MidiEvent] = []
        self._handed: list[MidiEvent] = []
        """Events in the spooler that may not have been played yet."""
        self._full_us: int | None = None
        """When a batch was so full that the spooler needs a moment for it."""
        self._sounding = Sounding()
        self._channels: set[int] = set()
        self._silencing = False

    def add(self, events: Iterable[MidiEvent]) -> None:
        """Events for the port; those of the same time are played in the order in which they come.

        When too many wait, all of them are dropped and the port is silenced.
        """
        for event in events:
            bisect.insort(self._waiting, event, key=_time)
        if len(self._waiting) > MAX_WAITING:
            self.overruns += 1
            self._waiting.clear()
            self._silencing = True

    def start_again(self) -> None:
        """The engine or its port is new: what it had is lost, and notes may hang on the device."""
        self._waiting.clear()
        self._handed.clear()
        self._silencing = True

    def take_batch(self, now_us: int) -> tuple[int | None, list[MidiEvent]] | None:
        """What to do to the lane; None if that is nothing.

        (room time from which on it is to be discarded, events to put behind what stays), as in a
        `Rewrite`. Events are sorted, and due now if they were due before.
        """
        if self._full_us is not None and now_us < self._full_us + BATCH_PAUSE_US:
            return None
        margin_us = now_us + MARGIN_US + self.latency_us
        played = bisect.bisect_left(self._handed, now_us - PLAYED_US - self.latency_us, key=_time)
        del self._handed[:played]
        if self._silencing:
            self._silence(now_us, margin_us)
            discard_us: int | None = margin_us
        else:
            discard_us = self._take_back(margin_us)
        batch = self._next_batch(now_us)
        self._full_us = now_us if len(batch) == MAX_BATCH else None
        return (discard_us, batch) if batch or discard_us is not None else None

    def next_deadline(self) -> int | None:
        """Room time at which `take_batch` has something more; None if that is when events come."""
        if not self._waiting:
            return None
        if self._full_us is not None:
            return self._full_us + BATCH_PAUSE_US
        if not self._handed:
            return self._waiting[0].time_us
        # The spooler has as many as it may have, until some are played.
        return self._handed[0].time_us + PLAYED_US + self.latency_us + 1

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        self._waiting = [MidiEvent(e.time_us + by_us, e.data) for e in self._waiting]
        self._handed = [MidiEvent(e.time_us + by_us, e.data) for e in self._handed]
        self._full_us = None

    # ---- inside ----

    def _take_back(self, margin_us: int) -> int | None:
        """Take back what is due behind the next event; from when on that is to be discarded."""
        if not (self._waiting and self._handed):
            return None
        from_us = max(margin_us, self._waiting[0].time_us + 1)
        number = bisect.bisect_left(self._handed, from_us, key=_time)
        back = self._handed[number:]
        if not back:
            return None
        del self._handed[number:]
        self._waiting = sorted(back + self._waiting, key=_time)
        return from_us

    def _silence(self, now_us: int, margin_us: int) -> None:
        """Take all back, and end all that may sound."""
        self._silencing = False
        # What was handed out is noted already, so that it is played but for its note-ons.
        number = bisect.bisect_left(self._handed, margin_us, key=_time)
        over = [event.data for event in self._handed[number:] if not is_note_on(event.data)]
        over += copy.deepcopy(self._sounding).silence()
        over += [bytes((CONTROLLER | c, ALL_NOTES_OFF, 0)) for c in sorted(self._channels)]
        del self._handed[number:]
        self._waiting = [MidiEvent(now_us, data) for data in over] + self._waiting

    def _next_batch(self, now_us: int) -> list[MidiEvent]:
        number = min(MAX_BATCH, MAX_HANDED - len(self._handed))
        taken, self._waiting = self._waiting[:number], self._waiting[number:]
        earliest_us = max(now_us, self._handed[-1].time_us) if self._handed else now_us
        batch = [MidiEvent(max(event.time_us, earliest_us), event.data) for event in taken]
        self._handed += batch
        for event in batch:
            self._sounding.note(event.data)
            if event.data[0] < 0xF0:
                self._channels.add(event.data[0] & 0x0F)
        return batch
