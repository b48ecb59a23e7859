"""Playing together: what our DAW plays goes to the others, what they play goes to our port. Pure.

Times are room time in µs. The room's timelines may be None while they are not known: then there is
no grid and no bar, and all comes at once.
"""

from collections.abc import Iterable
from typing import NamedTuple

from midipool.messages import Midi
from midipool.midi_clock import MidiEvent
from midipool.timeline_chain import TimelineChain
from midipool_client.sharing.echo_guard import EchoGuard
from midipool_client.sharing.hearing import MidiHearing
from midipool_client.sharing.options import SharingSettings
from midipool_client.sharing.sending import MidiSending

MAX_SENDERS = 256


class Shared(NamedTuple):
    """What is due: messages for the server, events for the port's note lane in order."""

    messages: list[Midi]
    events: list[MidiEvent]


class MidiSharing:
    """One port's part in playing together; events go into a `NoteLane`, messages to the server."""

    def __init__(self, settings: SharingSettings | None = None) -> None:
        self._settings = settings or SharingSettings()
        self._guard = EchoGuard()
        self._sending = MidiSending(self._settings, self._guard)
        self._senders: dict[str, MidiHearing] = {}

    @property
    def echoes(self) -> int:
        """Messages that the DAW only passed through, and that were not sent back."""
        return self._sending.echoes

    # ---- out ----

    def heard(self, messages: Iterable[tuple[int, bytes]], now_us: int) -> list[Midi]:
        """Whole messages from the DAW, with the room time of each; what is to be sent now."""
        return self._sending.heard(messages, now_us)

    # ---- in ----

    def received(
        self,
        name: str,
        events: Iterable[tuple[int, bytes]],
        now_us: int,
        chain: TimelineChain | None,
        silence: bool = False,
    ) -> list[MidiEvent]:
        """What the server passes on of a member: (room time it was played, message).

        With `silence` some of it was left out: what sounds is ended in front of `events`.
        """
        sender = self._sender(name, now_us)
        if sender is None:
            return []
        sender.came(now_us)
        if silence:
            sender.end(now_us, chain)
        settings = self._settings
        channels = settings.hear_maps.get(name, settings.hear_map)
        for played_us, data in events:
            if settings.hear.passes(data):
                sender.take(channels.moved(data), played_us, now_us, chain)
        return self._put(sender.give(now_us, chain))

    def member_gone(self, name: str, now_us: int) -> list[MidiEvent]:
        """A member left or lost its connection."""
        sender = self._senders.pop(name, None)
        return [] if sender is None else self._put(sender.leave(now_us))

    def disconnected(self, now_us: int) -> list[MidiEvent]:
        """We lost the connection: nobody is heard any more."""
        return [e for name in list(self._senders) for e in self.member_gone(name, now_us)]

    # ---- time ----

    def poll(self, now_us: int, chain: TimelineChain | None) -> Shared:
        """What time brings; to be called at `next_deadline` and when the timelines change."""
        events: list[MidiEvent] = []
        for sender in self._senders.values():
            if sender.stalled(now_us):
                sender.end(now_us, chain)
            events += sender.give(now_us, chain)
        return Shared(self._sending.poll(now_us), self._put(events))

    def next_deadline(self) -> int | None:
        """Room time at which `poll` has something to do; None while nothing will happen."""
        times = [self._sending.next_deadline()]
        times += [sender.next_deadline() for sender in self._senders.values()]
        return min((time_us for time_us in times if time_us is not None), default=None)

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        self._sending.shift(by_us)
        self._guard.shift(by_us)
        for sender in self._senders.values():
            sender.shift(by_us)

    # ---- inside ----

    def _sender(self, name: str, now_us: int) -> MidiHearing | None:
        sender = self._senders.get(name)
        if sender is not None or not self._settings.hears(name):
            return sender
        if len(self._senders) >= MAX_SENDERS:
            idle = next((other for other, s in self._senders.items() if s.idle), None)
            if idle is None:
                return None
            del self._senders[idle]
        self._senders[name] = MidiHearing(self._settings.hear_as, now_us)
        return self._senders[name]

    def _put(self, events: list[MidiEvent]) -> list[MidiEvent]:
        """Events that go to the port, remembered for their echo."""
        events.sort(key=lambda event: event.time_us)
        for event in events:
            self._guard.sent(*event)
        return events
