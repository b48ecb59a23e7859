"""One port's notes: those of its player go to the others, and theirs come to it. Pure.

All times are the port's own: room time minus its offset, in µs.
"""

from collections.abc import Sequence

from midipool.daw.parser import MidiMessage
from midipool.messages import Members, Midi, MidiFrom
from midipool.midi_clock import MidiEvent
from midipool.timeline_chain import TimelineChain
from midipool_client.sharing.note_lane import NoteLane
from midipool_client.sharing.options import SharingSettings
from midipool_client.sharing.sharing import MidiSharing
from midipool_native.spooler import Rewrite


class PortNotes:
    """Sharing and the lane of the port's spooler that its events go into."""

    def __init__(self, settings: SharingSettings, plays: bool, shares: bool) -> None:
        self.lane = NoteLane()
        self._sharing = MidiSharing(settings)
        self._plays = plays
        self._shares = shares

    def heard(self, messages: Sequence[MidiMessage], now_us: int) -> list[Midi]:
        """The player plays; what goes to the server."""
        return self._sharing.heard(messages, now_us) if self._shares else []

    def received(self, message: MidiFrom, now_us: int, chain: TimelineChain) -> None:
        """Another member plays."""
        if not self._plays:
            return
        events = [(event.time_us, bytes.fromhex(event.data)) for event in message.events]
        self._add(self._sharing.received(message.name, events, now_us, chain, message.silence))

    def members(self, before: Members, after: Members, now_us: int) -> None:
        """Somebody came or went: who is away sounds no more."""
        here = {member.name for member in after.members if member.connected}
        for member in before.members:
            if member.name not in here:
                self._add(self._sharing.member_gone(member.name, now_us))

    def disconnected(self, now_us: int) -> None:
        """The server is away: nobody is heard any more."""
        self._add(self._sharing.disconnected(now_us))

    def poll(self, now_us: int, chain: TimelineChain) -> tuple[list[Midi], Rewrite | None]:
        """(what goes to the server, what changes on the lane)."""
        shared = self._sharing.poll(now_us, chain)
        self._add(shared.events)
        batch = self.lane.take_batch(now_us)
        if batch is None:
            return shared.messages, None
        discard_us, events = batch
        return shared.messages, Rewrite([(e.time_us, e.data) for e in events], discard_us)

    def next_deadline(self) -> int | None:
        """When `poll` has something to do by itself; None if that is never."""
        times = (self._sharing.next_deadline(), self.lane.next_deadline())
        return min((time_us for time_us in times if time_us is not None), default=None)

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        self._sharing.shift(by_us)
        self.lane.shift(by_us)

    def _add(self, events: list[MidiEvent]) -> None:
        self.lane.add(events)
