"""What members play, passed on to one another, so that nothing hangs and nobody is swamped. Pure.

Whoever plays too much is not heard for half a second, and whoever does not read misses some: in
both cases the receivers are told with `midi_from.silence` to end what sounds of the sender.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from midipool.messages import Error, Message, Midi, MidiFrom
from midipool_server.rate_limit import RateLimit

EVENTS_A_SECOND = 2000.0
EVENT_BURST = 2000.0
BYTES_A_SECOND = 16_384.0
BYTE_BURST = 32_768.0
MUTE_US = 500_000
ERROR_PAUSE_US = 1_000_000
TOO_MUCH = (
    f"more than {EVENTS_A_SECOND:.0f} MIDI messages or {BYTES_A_SECOND:.0f} bytes of MIDI a second:"
    f" what you play is left out for {MUTE_US // 1000} ms, and your notes are ended; play less"
)


class Relayed(NamedTuple):
    """A message and the ids of the connections that get it."""

    message: Message
    to: list[int]


@dataclass(slots=True)
class _Sender:
    name: str
    events: RateLimit = field(default_factory=lambda: RateLimit(EVENTS_A_SECOND, EVENT_BURST))
    bytes: RateLimit = field(default_factory=lambda: RateLimit(BYTES_A_SECOND, BYTE_BURST))
    muted_until_us: int | None = None
    next_error_us: int | None = None
    audible: bool = False
    """Whether something was passed on since the receivers were last told to end its notes."""
    missed: set[int] = field(default_factory=set)
    """Receivers that did not get all, and have not been told yet."""

    def may_play(self, now_us: int, events: int, size: int) -> bool:
        """Whether so many events of so many bytes in all may pass."""
        if self.muted_until_us is not None and now_us < self.muted_until_us:
            return False
        if self.events.allow(now_us, events) and self.bytes.allow(now_us, size):
            self.muted_until_us = None
            return True
        self.muted_until_us = now_us + MUTE_US
        return False


class MidiRelay:
    """Knows who plays; connections are named by their ids."""

    def __init__(self) -> None:
        self._senders: dict[int, _Sender] = {}

    def take(
        self, now_us: int, sender_id: int, name: str, midi: Midi, receivers: Mapping[int, bool]
    ) -> list[Relayed]:
        """What a member sends; `receivers` are the others by id, and whether each is crowded.

        A crowded receiver has so much unread that it gets no MIDI.
        """
        sender = self._senders.setdefault(sender_id, _Sender(name))
        sender.name = name
        sender.missed &= receivers.keys()
        size = sum(len(event.data) // 2 for event in midi.events)
        if midi.events and not sender.may_play(now_us, len(midi.events), size):
            return self._cut(now_us, sender_id, sender, receivers)
        sender.audible |= bool(midi.events)
        reading = [id for id, crowded in receivers.items() if not crowded]
        behind = [id for id in reading if id in sender.missed]
        in_time = [id for id in reading if id not in sender.missed]
        sender.missed.difference_update(behind)
        if midi.events:
            sender.missed.update(receivers.keys() - reading)
        return _some(
            Relayed(MidiFrom(name, midi.events), in_time),
            Relayed(MidiFrom(name, midi.events, silence=True), behind),
        )

    def gone(self, sender_id: int, receivers: Mapping[int, bool]) -> list[Relayed]:
        """A member's connection ended: nobody will end its notes but the receivers."""
        sender = self._senders.pop(sender_id, None)
        return [] if sender is None else self._silence(sender, receivers)

    def parted(self, sender_id: int, receivers: Mapping[int, bool]) -> list[Relayed]:
        """These are not to hear a member any more, or not all: what it holds there is ended."""
        sender = self._senders.get(sender_id)
        if sender is None:
            return []
        reading = [id for id, crowded in receivers.items() if not crowded]
        return _some(Relayed(MidiFrom(sender.name, silence=True), reading))

    def _cut(
        self, now_us: int, sender_id: int, sender: _Sender, receivers: Mapping[int, bool]
    ) -> list[Relayed]:
        """Leave events out: the sender is told once a second, the receivers each time it was on."""
        out = self._silence(sender, receivers)
        if sender.next_error_us is None or now_us >= sender.next_error_us:
            sender.next_error_us = now_us + ERROR_PAUSE_US
            out.append(Relayed(Error(code="too_fast", message=TOO_MUCH), [sender_id]))
        return out

    def _silence(self, sender: _Sender, receivers: Mapping[int, bool]) -> list[Relayed]:
        if not sender.audible:
            return []
        sender.audible = False
        reading = [id for id, crowded in receivers.items() if not crowded]
        sender.missed.update(receivers.keys() - reading)
        sender.missed.difference_update(reading)
        return _some(Relayed(MidiFrom(sender.name, silence=True), reading))


def _some(*relayed: Relayed) -> list[Relayed]:
    """Those that somebody gets."""
    return [r for r in relayed if r.to]
