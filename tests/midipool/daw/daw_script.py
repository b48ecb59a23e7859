"""What a DAW with a clock of its own sends, written down step by step."""

import random
from dataclasses import dataclass, field

from midipool.midi_clock import song_position_bytes

from .simulated_daw import TICKS, US_PER_MINUTE, Jitter, no_jitter


@dataclass
class DawScript:
    """Bytes with the times at which they come, and where the DAW's song truly was when."""

    bpm: float = 120.0
    now_us: float = 1_000_000.0
    jitter: Jitter = no_jitter
    ppm: float = 0.0
    """The DAW's clock is slower by this."""
    seed: int = 1
    sent: list[tuple[int, bytes]] = field(default_factory=list)
    played: list[tuple[float, int]] = field(default_factory=list)
    """(true time, song tick) of each F8 while the song plays."""
    tick: int | None = None
    """The song's next tick while it plays; None while it stands."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def say(self, data: bytes, before_us: float = 4_000) -> "DawScript":
        """A message, a little before the next clock, and its jitter."""
        self.sent.append((round(self.now_us - before_us), data))
        return self

    def mmc(self, *commands: int) -> "DawScript":
        return self.say(bytes((0xF0, 0x7F, 0x7F, 0x06, *commands, 0xF7)))

    def start(self) -> "DawScript":
        self.say(b"\xfa")
        self.tick = 0
        return self

    def go_on(self, tick: int) -> "DawScript":
        """F2 and FB: also while the song plays, where a loop ends."""
        self.say(song_position_bytes(tick), 5_000).say(b"\xfb")
        self.tick = tick
        return self

    def stop(self) -> "DawScript":
        self.say(b"\xfc")
        self.tick = None
        return self

    def clocks(self, count: float) -> "DawScript":
        """So many beats of clock, of a song that plays or stands."""
        for _ in range(round(count * TICKS)):
            came_us = self.now_us + self.jitter(self._random)
            self.sent.append((round(came_us), b"\xf8"))
            if self.tick is not None:
                self.played.append((self.now_us, self.tick))
                self.tick += 1
            self.now_us += US_PER_MINUTE / TICKS / self.bpm * (1 + self.ppm * 1e-6)
        return self

    def wait(self, for_us: float) -> "DawScript":
        self.now_us += for_us
        return self

    def messages(self) -> list[tuple[int, bytes]]:
        """All of it in the order in which it comes."""
        return sorted(self.sent, key=lambda message: message[0])
