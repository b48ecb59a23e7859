"""What a DAW makes of the bytes that it hears."""

from collections.abc import Sequence
from dataclasses import dataclass, field

Event = tuple[int, bytes]


@dataclass
class Daw:
    """A receiver that follows MIDI clock: its state after the bytes so far."""

    running: bool = False
    tick: int = 0
    clocks: list[tuple[int, int]] = field(default_factory=list)
    """(frame, song tick) of each clock heard while running."""
    log: list[str] = field(default_factory=list)

    def hear(self, events: Sequence[Event]) -> "Daw":
        for frame, data in events:
            match data[0]:
                case 0xF2:
                    assert not self.running, "a song position came while the song ran"
                    self.tick = (data[1] | data[2] << 7) * 6
                    self.log.append(f"F2 {self.tick // 6}")
                case 0xFA | 0xFB:
                    self.running = True
                    self.log.append(f"{data[0]:X}")
                case 0xFC:
                    self.running = False
                    self.log.append("FC")
                case 0xF8 if self.running:
                    self.clocks.append((frame, self.tick))
                    self.tick += 1
                case _:
                    self.log.append(f"stray {data.hex()}")
        return self


def clocks(events: Sequence[Event]) -> int:
    return sum(data == b"\xf8" for _, data in events)


def has(data: bytes, events: Sequence[Event]) -> bool:
    return any(heard == data for _, heard in events)
