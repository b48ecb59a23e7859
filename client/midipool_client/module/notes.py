"""MIDI of a module: what the others play to it, and what it plays when it is due. Pure."""

import bisect
from collections import deque
from collections.abc import Collection
from operator import itemgetter
from typing import NamedTuple

from midipool.errors import InvalidValue, Refused
from midipool.messages import MAX_MIDI_EVENTS, Midi, MidiFrom, TimedMidi, timed_midi
from midipool.midi_kinds import KINDS, kind_of
from midipool.midi_notes import Sounding

MOST_WAITING = 4096
# Who holds notes says so much more often than the others need to hear it.
HOLDING_US = 250_000
STALLED_US = 1_000_000
# Others do not believe who played long ago.
MOST_LATE_US = 1_000_000


class Played(NamedTuple):
    """A MIDI message that another member played."""

    time_us: int
    """Room time."""
    who: str
    data: bytes


class HeardNotes:
    """What the others play; whoever stops to play ends its notes."""

    def __init__(self) -> None:
        self.dropped = 0
        """Messages that were not read in time."""
        self._waiting: deque[Played] = deque()
        self._senders: dict[str, tuple[Sounding, int]] = {}

    def came(self, message: MidiFrom, now_us: int) -> None:
        """What a member plays."""
        sounding, _ = self._senders.get(message.name, (Sounding(), now_us))
        self._senders[message.name] = sounding, now_us
        if message.silence:
            self._add(now_us, message.name, sounding.silence())
        for event in message.events:
            data = bytes.fromhex(event.data)
            sounding.note(data)
            self._waiting.append(Played(event.time_us, message.name, data))
        if len(self._waiting) > MOST_WAITING:
            self._overflow(now_us)

    def tend(self, now_us: int, connected: Collection[str]) -> None:
        """End the notes of those that have gone, or hold them and say nothing."""
        for name, (sounding, came_us) in [*self._senders.items()]:
            stalled = sounding.active and now_us - came_us >= STALLED_US
            if stalled or name not in connected:
                self._add(now_us, name, sounding.silence())
            if name not in connected:
                del self._senders[name]

    def take(self) -> tuple[Played, ...]:
        """All that was not read yet, in the order in which it came."""
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        self._senders = {n: (sounding, us + by_us) for n, (sounding, us) in self._senders.items()}
        self._waiting = deque(p._replace(time_us=p.time_us + by_us) for p in self._waiting)

    def _add(self, now_us: int, name: str, messages: list[bytes]) -> None:
        self._waiting.extend(Played(now_us, name, data) for data in messages)

    def _overflow(self, now_us: int) -> None:
        self.dropped += len(self._waiting)
        self._waiting.clear()
        for name, (sounding, _) in self._senders.items():
            self._add(now_us, name, sounding.silence())


class NotesToPlay:
    """What a module plays, each at its time: others hear notes when they come."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, bytes]] = []
        self._sounding = Sounding()
        self._said_us = 0

    def add(self, time_us: int, data: bytes) -> None:
        """Play a message then; raises Refused when too many wait."""
        if len(self._waiting) >= MOST_WAITING:
            text = f"{MOST_WAITING} MIDI messages wait for their time: write them when they are due"
            raise Refused("too_fast", text)
        bisect.insort(self._waiting, (time_us, data), key=itemgetter(0))

    def give(self, now_us: int, ahead_us: int) -> list[Midi]:
        """What is due by `ahead_us` from now on."""
        count = bisect.bisect_right(self._waiting, now_us + ahead_us, key=itemgetter(0))
        due, self._waiting = self._waiting[:count], self._waiting[count:]
        events = [self._event(time_us, data, now_us) for time_us, data in due]
        given = [Midi(events[n : n + MAX_MIDI_EVENTS]) for n in range(0, count, MAX_MIDI_EVENTS)]
        if not given and self._sounding.active and now_us - self._said_us >= HOLDING_US:
            given = [Midi()]
        self._said_us = now_us if given else self._said_us
        return given

    def next_us(self) -> int | None:
        """When something is due; None while nothing is."""
        times = [self._waiting[0][0]] if self._waiting else []
        times += [self._said_us + HOLDING_US] if self._sounding.active else []
        return min(times, default=None)

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        self._waiting = [(time_us + by_us, data) for time_us, data in self._waiting]
        self._said_us += by_us

    def _event(self, time_us: int, data: bytes, now_us: int) -> TimedMidi:
        self._sounding.note(data)
        return timed_midi(max(time_us, now_us - MOST_LATE_US), data)


def midi_bytes(message: object) -> bytes:
    """Bytes, or what has them as mido's messages do; raises InvalidValue."""
    has = getattr(message, "bytes", None)
    try:
        data = bytes(has() if callable(has) else message)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        data = b""
    if isinstance(message, int) or kind_of(data) is None:
        kinds = ", ".join(KINDS).replace("_", " ")
        rule = f"must be one whole MIDI message of those that members share ({kinds})"
        raise InvalidValue("message", f"{rule}, not {message!r}")
    return data
