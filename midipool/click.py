"""The click: a metronome that each client makes from the room's timelines, never streamed.

A click is a note-on at the first µs of its beat and a note-off a little later. It follows the song:
through tempo changes, ramps, loops and jumps. Where the song stands it is silent, but for the
count-in: the bars before the origin of a timeline that asks for them.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from midipool.errors import InvalidValue
from midipool.meter import Meter
from midipool.midi_clock import MidiEvent
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

NOTE_OFF, NOTE_ON = 0x80, 0x90
# MIDI 1.0, Note-Off: the velocity of those that have none to tell.
RELEASE_VELOCITY = 64
# Where a timeline begins, or what we know changes, rounding may put a click in front of that which
# belongs behind it: up to the 16 micro-beats that a µs has at 999 BPM, at 20 BPM. So clicks this
# far back are looked at again, and those that were not heard are due at once.
ROUNDING_US = 60
# Clicks of one song are at least 7.5 ms apart (32nds at 999 BPM): what is closer came twice.
DOUBLED_US = 3_000
_RULES = {
    "channel": (1, 16),
    "accent_note": (0, 127),
    "accent_velocity": (1, 127),
    "note": (0, 127),
    "velocity": (1, 127),
    "volume": (0, 1),
    "length_ms": (1, 1000),
}


class ClickSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the click sounds, and when; raises InvalidValue.

    The notes are General MIDI's (Percussion Key Map, on channel 10): 76 is the high wood block,
    77 the low one.
    """

    channel: int = 10
    """1 to 16."""
    accent_note: int = 76
    """For the first click of a bar."""
    accent_velocity: int = 127
    note: int = 77
    """For all other clicks."""
    velocity: int = 96
    volume: float = 1.0
    """0 to 1, by which velocities are multiplied; at 0 nothing is sent."""
    length_ms: int = 30
    """From note-on to note-off; a click that comes earlier ends the one before it."""
    compound: bool = False
    """Whether 6/8, 9/8, 12/8 and their like click every third count: dotted quarters."""
    only_count_in: bool = False
    """Whether the click ends where the song begins."""

    def __post_init__(self) -> None:
        for name, (low, high) in _RULES.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidValue(name, f"must be {low} to {high}")

    def unit_beats(self, meter: Meter) -> int:
        """From one click to the next, in micro-beats: a count of the meter, or three of them."""
        grouped = meter.denominator >= 8 and meter.numerator > 3 and meter.numerator % 3 == 0
        return meter.count_beats * (3 if self.compound and grouped else 1)

    def note_on(self, accent: bool) -> bytes:
        """The bytes that begin a click."""
        note, velocity = self.note, self.velocity
        if accent:
            note, velocity = self.accent_note, self.accent_velocity
        # Velocity 0 would be a note-off (MIDI 1.0, Note-Off).
        return bytes((NOTE_ON | self.channel - 1, note, max(round(velocity * self.volume), 1)))

    def note_off(self, accent: bool) -> bytes:
        """The bytes that end a click."""
        note = self.accent_note if accent else self.note
        return bytes((NOTE_OFF | self.channel - 1, note, RELEASE_VELOCITY))


class _Sounding(NamedTuple):
    """A note that was begun: when it is over, and the bytes that end it."""

    off_us: int
    off: bytes


class _State(NamedTuple):
    """What the listener got so far."""

    sounding: tuple[_Sounding, ...] = ()
    clicked_us: int = 0
    epoch: int = -1
    """The epoch of the song in which the last click was, at `clicked_us`."""

    def moved_by(self, by_us: int) -> "_State":
        moved = tuple(_Sounding(note.off_us + by_us, note.off) for note in self.sounding)
        return _State(moved, self.clicked_us + by_us, self.epoch)


class _Due(NamedTuple):
    """A click."""

    time_us: int
    accent: bool
    epoch: int


class Click:
    """Expands a chain of timelines into clicks, and knows which note still sounds.

    `follow` says what holds from a time on, `extend` returns the events up to another. What was
    returned for later than a new `follow` must be discarded by the caller: a note that was begun
    before is then ended anew. `settings` may be set at any time; a `follow` brings it into effect.
    """

    def __init__(self, settings: ClickSettings | None = None) -> None:
        self.settings = settings or ClickSettings()
        self._in_effect = self.settings
        self._chain: TimelineChain | None = None
        self._planned_us = 0
        self._log: deque[tuple[MidiEvent, _State]] = deque()
        self._state = self._before_log = _State()

    def follow(self, chain: TimelineChain, from_us: int, lost: bool = False) -> None:
        """Take `chain` for true from `from_us` on.

        With `lost`, what the listener got last is not known: a note that may sound is ended.
        """
        while self._log and self._log[-1][0].time_us >= from_us:
            self._log.pop()
        self._state = self._log[-1][1] if self._log else self._before_log
        if lost:
            offs = {self._in_effect.note_off(True), self._in_effect.note_off(False)}
            sounding = tuple(_Sounding(from_us, off) for off in sorted(offs))
            self._log.clear()
            self._state = self._before_log = _State(sounding)
        self._in_effect = self.settings
        self._chain = chain
        self._planned_us = from_us

    def extend(self, until_us: int) -> list[MidiEvent]:
        """The events that are due from where the last call ended to before `until_us`, in order.

        An end of a note is in front of a note that begins in the same instant.
        """
        if self._chain is None or until_us <= self._planned_us:
            return []
        settings = self._in_effect
        events: list[MidiEvent] = []
        for due in _clicks(self._chain, settings, self._planned_us, until_us):
            state = self._state
            if due.epoch == state.epoch and due.time_us - state.clicked_us < DOUBLED_US:
                continue
            self._end_notes(events, due.time_us)
            note = _Sounding(due.time_us + settings.length_ms * 1000, settings.note_off(due.accent))
            began = _State((note,), due.time_us, due.epoch)
            self._emit(events, due.time_us, settings.note_on(due.accent), began)
        if all(note.off_us < until_us for note in self._state.sounding):
            self._end_notes(events, until_us)
        self._planned_us = until_us
        return events

    def forget_before(self, time_us: int) -> None:
        """Events before `time_us` have surely been sent."""
        while self._log and self._log[0][0].time_us < time_us:
            self._before_log = self._log.popleft()[1]

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        self._log = deque(
            (MidiEvent(event.time_us + by_us, event.data), state.moved_by(by_us))
            for event, state in self._log
        )
        self._state = self._state.moved_by(by_us)
        self._before_log = self._before_log.moved_by(by_us)
        self._planned_us += by_us
        if self._chain is not None:
            self._chain = self._chain.moved_by(by_us)

    def _end_notes(self, events: list[MidiEvent], latest_us: int) -> None:
        """End what sounds: when it is over, or at `latest_us` if that is before."""
        while self._state.sounding:
            note, *others = self._state.sounding
            off_us = max(min(note.off_us, latest_us), self._planned_us)
            self._emit(events, off_us, note.off, self._state._replace(sounding=tuple(others)))

    def _emit(self, events: list[MidiEvent], time_us: int, data: bytes, state: _State) -> None:
        event = MidiEvent(time_us, data)
        events.append(event)
        self._log.append((event, state))
        self._state = state


def _clicks(
    chain: TimelineChain, settings: ClickSettings, from_us: int, until_us: int
) -> Iterator[_Due]:
    """The clicks of a chain from `from_us` to before `until_us`; the first may have been before."""
    if settings.volume == 0:
        return
    for timeline, start_us, end in chain.spans(from_us):
        end_us = until_us if end is None else min(end, until_us)
        sounds_us = max(start_us, timeline.origin_time_us) if timeline.playing else end_us
        yield from _count_in(chain, settings, start_us, min(sounds_us, end_us))
        if not settings.only_count_in:
            yield from _grid(timeline, settings, sounds_us, end_us)


def _count_in(
    chain: TimelineChain, settings: ClickSettings, start_us: int, end_us: int
) -> Iterator[_Due]:
    """The clicks while the song stands, for the timeline that plays next."""
    coming = (t for t in chain.timelines if t.playing and t.origin_time_us >= end_us)
    timeline = next(coming, None) if start_us < end_us else None
    if timeline is None or timeline.count_in_bars == 0:
        return
    first_beats = timeline.origin_beats - timeline.count_in_bars * timeline.meter.bar_beats
    counted = _counted_before(chain, timeline, end_us)
    yield from _grid(counted, settings, start_us, end_us, first_beats)


def _counted_before(chain: TimelineChain, timeline: Timeline, end_us: int) -> Timeline:
    """How the bars before `timeline` are counted before `end_us`.

    They have its tempo; but one that comes while they are counted holds from its origin on.
    """
    counted = timeline
    for later in reversed(chain.timelines[1:]):
        if end_us <= later.origin_time_us < timeline.origin_time_us:
            # The last µs before it, so that each click falls to one side of it or the other.
            last_us = later.origin_time_us - 1
            counted = replace(
                timeline,
                origin_time_us=last_us,
                origin_beats=counted.beats_at(last_us),
                mbpm=chain.at(last_us).mbpm,
                ramp=None,
            )
    return counted


def _grid(
    timeline: Timeline,
    settings: ClickSettings,
    start_us: int,
    end_us: int,
    first_beats: int | None = None,
) -> Iterator[_Due]:
    """A timeline's clicks in the time given; with `first_beats`, from there on.

    A loop begins and ends on bar lines, so elapsed beats lie in their bar as song beats do.
    """
    unit, bar = settings.unit_beats(timeline.meter), timeline.meter.bar_beats
    beats = timeline.beats_at(start_us - ROUNDING_US) // unit * unit
    if first_beats is not None:
        beats = max(beats, -(-first_beats // unit) * unit)
    while start_us < end_us and (time_us := timeline.time_at(beats)) < end_us:
        if time_us >= start_us - ROUNDING_US:
            yield _Due(max(time_us, start_us), beats % bar == 0, timeline.epoch)
        beats += unit
