"""What the player's DAW plays, on its way to the others. Pure."""

from collections.abc import Iterable

from midipool.messages import MAX_MIDI_EVENTS, Midi, TimedMidi, timed_midi
from midipool.midi_kinds import is_note_off
from midipool.midi_notes import Sounding
from midipool_client.sharing.echo_guard import EchoGuard
from midipool_client.sharing.options import SharingSettings

TOGETHER_US = 5_000
HEARTBEAT_US = 300_000
LONG_AGO_US = -(2**62)


class MidiSending:
    """Filters, maps and gathers messages; says "still here" while notes are held."""

    def __init__(self, settings: SharingSettings, guard: EchoGuard) -> None:
        self.echoes = 0
        """Messages that were not sent because they came from the others."""
        self._settings = settings
        self._guard = guard
        self._held = Sounding()
        self._batch: list[TimedMidi] = []
        self._sent_us = LONG_AGO_US

    def heard(self, messages: Iterable[tuple[int, bytes]], now_us: int) -> list[Midi]:
        """Take (room time, one whole message) from the DAW; what is to be sent now.

        The first one goes at once, those within the next 5 ms together.
        """
        for time_us, data in messages:
            if self._is_shared(time_us, data):
                self._held.note(data)
                self._batch.append(timed_midi(time_us, self._settings.share_map.moved(data)))
        return self.poll(now_us)

    def poll(self, now_us: int) -> list[Midi]:
        """What is due."""
        deadline = self.next_deadline()
        if deadline is None or now_us < deadline:
            return []
        self._sent_us = now_us
        batch, self._batch = self._batch, []
        parts = range(0, max(len(batch), 1), MAX_MIDI_EVENTS)
        return [Midi(batch[start : start + MAX_MIDI_EVENTS]) for start in parts]

    def next_deadline(self) -> int | None:
        """Room time at which `poll` has something to send."""
        if self._batch:
            return self._sent_us + TOGETHER_US
        return self._sent_us + HEARTBEAT_US if self._held.active else None

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        self._sent_us += by_us
        self._batch = [TimedMidi(e.time_us + by_us, e.data) for e in self._batch]

    def _is_shared(self, time_us: int, data: bytes) -> bool:
        if not self._settings.share.passes(data):
            return False
        # The player's own note or pedal ends even if an echo of the same does at the same time.
        if self._held.ends(data):
            return True
        if self._guard.is_echo(time_us, data):
            self.echoes += 1
            return False
        return not is_note_off(data)
