"""A reference device: what a sequencer makes of the clock bytes it gets (MIDI 1.0, System)."""

from dataclasses import dataclass, field
from typing import NamedTuple

from midipool.meter import CLOCKS_PER_SIXTEENTH
from midipool.midi_clock import CLOCK, CONTINUE, START, STOP, MidiEvent

SONG_POSITION = 0xF2
LAST_TICK = 16384 * CLOCKS_PER_SIXTEENTH


class Heard(NamedTuple):
    """A clock that a running device got, and the tick of the song it took it for."""

    time_us: int
    tick: int


@dataclass
class Sequencer:
    """Consumes events in order. Fails on what no device has to understand."""

    running: bool = False
    heard: list[Heard] = field(default_factory=list)
    entered_us: list[int] = field(default_factory=list)
    """Times of FA, and of FB that started it."""
    continued: list[tuple[int, int]] = field(default_factory=list)
    """(time, next tick) of each FB that came while it ran."""
    stopped_us: list[int] = field(default_factory=list)
    next_tick: int = 0
    _time_us: int = -(2**62)
    _located: bool = False

    def take(self, events: list[MidiEvent]) -> "Sequencer":
        for event in events:
            assert event.time_us >= self._time_us, "events out of order"
            self._time_us = event.time_us
            self._take(event)
        return self

    def _take(self, event: MidiEvent) -> None:
        match event.data:
            case b if b == CLOCK:
                if self.running:
                    self.heard.append(Heard(event.time_us, self.next_tick % LAST_TICK))
                    self.next_tick += 1
            case b if b == START:
                assert not self.running, "FA while running"
                assert self._located, "FA without F2"
                assert self.next_tick == 0, "FA begins at 0, whatever F2 said"
                self._run(event.time_us)
            case b if b == CONTINUE and self.running:
                self.continued.append((event.time_us, self.next_tick))
            case b if b == CONTINUE:
                assert self._located, "FB without F2"
                self._run(event.time_us)
            case b if b == STOP:
                self.running = self._located = False
                self.stopped_us.append(event.time_us)
            case b if b[0] == SONG_POSITION and len(b) == 3:
                assert not self.running, "F2 while running: devices ignore that"
                assert max(b[1:]) < 128, "a data byte has 7 bits"
                self.next_tick = (b[1] | b[2] << 7) * CLOCKS_PER_SIXTEENTH
                self._located = True
            case other:
                raise AssertionError(f"unknown bytes {other.hex()}")

    def _run(self, time_us: int) -> None:
        self.running = True
        self._located = False
        self.entered_us.append(time_us)
