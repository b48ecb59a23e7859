"""A port as the spooler in C has it: one queue for notes, played in the order in which it is."""

from midipool.midi_clock import MidiEvent
from midipool_client.sharing.note_lane import MARGIN_US, NoteLane
from tests.synthesizer import Synthesizer

LANE_SIZE = 1024


def at(time_us: int, *messages: bytes) -> list[MidiEvent]:
    """Messages of one moment."""
    return [MidiEvent(time_us, data) for data in messages]


class NotePort:
    """Plays what a NoteLane hands out on a synthesizer, and holds the lane to its promises."""

    def __init__(self, layers: bool = False) -> None:
        self.lane = NoteLane()
        self.played: list[MidiEvent] = []
        """(when it was played, message)."""
        self.synthesizer = Synthesizer(layers)
        self._queue: list[MidiEvent] = []

    def put(self, events: list[MidiEvent], now_us: int) -> None:
        """Events for the port."""
        self.lane.add(events)
        self.turn(now_us)

    def turn(self, now_us: int) -> None:
        """Play what is due, take what the lane has, and play of that what is due."""
        self._play(now_us)
        batch = self.lane.take_batch(now_us)
        if batch is not None:
            self._rewrite(*batch, now_us)
            self._play(now_us)

    def crash(self) -> None:
        """The engine dies with all that it had; the DAW behind it stays as it is."""
        self._queue.clear()
        self.lane.start_again()

    @property
    def next_us(self) -> int | None:
        """When something happens next."""
        times = [self.lane.next_deadline(), self._queue[0].time_us if self._queue else None]
        return min((time_us for time_us in times if time_us is not None), default=None)

    def _rewrite(self, discard_us: int | None, events: list[MidiEvent], now_us: int) -> None:
        if discard_us is not None:
            assert discard_us >= now_us + MARGIN_US
            while self._queue and self._queue[-1].time_us >= discard_us:
                self._queue.pop()
        for event in events:
            assert event.time_us >= now_us
            assert not self._queue or event.time_us >= self._queue[-1].time_us
            self._queue.append(event)
        assert len(self._queue) <= LANE_SIZE

    def _play(self, now_us: int) -> None:
        while self._queue and self._queue[0].time_us <= now_us:
            event = self._queue.pop(0)
            self.synthesizer.play(event.data)
            self.played.append(event)
