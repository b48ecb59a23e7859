"""No tick is lost, doubled or out of order: what a port gave against the room's timeline. Pure.

A device counts clocks from the position that it was given. So a tick too few or too many shifts all
that follow, for good, and that is seen whatever the tempo did meanwhile. Those that are late, and
caught up with, are no matter here.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from midipool.meter import CLOCKS_PER_SIXTEENTH
from midipool.midi_clock import CLOCK, CONTINUE, START, STOP
from tests.soak.truth import SongTruth, tick_at
from tests.soak.violation import MACHINE, Calm, Violation

PERIOD = 1024
"""Of JACK, in frames."""
Event = tuple[int, bytes]
"""Room time in µs, and a message."""

LOOK_US, SHIFTED_SHARE, SHIFTED = 3_000_000, 0.9, 0.75
"""So long nearly all must be shifted to one side, by more of a tick than any is late."""
LEAST_TICKS = 24
JUDGE_EVERY_US = 250_000
SILENT_US = 4_000_000
BEHIND_CHANGE_US = 1_500_000
"""A bar and so much behind a change all ports are on it."""
FAR_US = 6_000_000
"""The same where the line to the server loses packets."""
S = 1_000_000
LENT_US = 30 * S
"""For so long a tick that is forgiven may turn out to have been there."""
LAST_TICK = 16384 * CLOCKS_PER_SIXTEENTH


@dataclass
class TickWatch:
    """One port."""

    who: str
    song: SongTruth
    calm: Calm
    far: bool = False
    clock_off_us: float = 0.0
    """By how much its client's room clock is ahead, as that says itself; how much it may be, is
    another matter (`agreement.py`)."""
    clock_bound_us: float = 0.0
    """By how much it may be, as it says."""
    running: bool = False
    next_tick: int = 0
    ticks: int = 0
    forgiven: int = 0
    """Ticks that JACK kept from whoever listened, and not from the port."""
    cues: int = 0
    """How often it was put somewhere: FA or FB."""
    unknown: bool = True
    """Whether nobody knows where the device is: until the first cue."""
    last_us: int = -(2**62)
    """When the last message came."""
    clock_us: int = -(2**62)
    """When the last clock came."""
    _judged_us: int = -(2**62)
    _gaps: list[tuple[int, int]] = field(default_factory=list)
    _newest_gaps: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=20))
    """Forgiven or not."""
    _cued_us: int = 0
    _shifts: deque[tuple[int, float]] = field(default_factory=deque)
    """(when, by how many ticks) of the newest."""
    _lent: deque[tuple[int, int]] = field(default_factory=deque)
    """(when, how many ticks) were forgiven of late."""
    _told: tuple[str, int] | None = None
    """What is told already, until it is over."""

    def lose_track(self) -> None:
        """The port went: a new device begins with its first cue."""
        self.running, self.unknown, self.last_us = False, True, -(2**62)
        self._shifts.clear()

    def miss(self, gaps: Iterable[tuple[int, int]]) -> None:
        """JACK left out cycles then: what was played in them nobody could hear."""
        new = list(gaps)
        self._gaps = [*self._gaps, *new][-50:]
        self._newest_gaps.extend(new)

    def take(self, events: Iterable[Event]) -> list[Violation]:
        """What came since, in order."""
        return [found for event in events for found in self._take(*event)]

    def look(self, now_us: int) -> list[Violation]:
        """Nothing came: whether something should have. All until `now_us` was taken."""
        from_us = now_us - SILENT_US
        plays = self.song.at(now_us).playing
        machine_ran = self.calm.is_calm(MACHINE, from_us, now_us)
        wanted = plays and machine_ran and self._is_calm(from_us, now_us)
        if wanted and self.clock_us < from_us:
            seen = "no clock for 4 s while the room plays"
            return self._tell(now_us, "tick lost", SILENT_US, seen)
        return []

    # ---- inside ----

    def _take(self, time_us: int, data: bytes) -> list[Violation]:
        if time_us < self.last_us:
            seen = f"{data.hex()} {self.last_us - time_us} µs before the last"
            return [
                *self._tell(time_us, "out of order", time_us, seen),
                *self._obey(self.last_us, data),
            ]
        self.last_us = time_us
        return self._obey(time_us, data)

    def _obey(self, time_us: int, data: bytes) -> list[Violation]:
        match data:
            case b if b == CLOCK:
                return self._clock(time_us)
            case b if b in (START, CONTINUE):
                self._cue(at_start=b == START)
            case b if b == STOP:
                self.running = False
                self._shifts.clear()
            case b if b[0] == 0xF2 and len(b) == 3 and not self.running:
                self.next_tick = (b[1] | b[2] << 7) * CLOCKS_PER_SIXTEENTH
                self.unknown = False
        return []

    def _cue(self, at_start: bool) -> None:
        if self.running:
            return
        if at_start:
            self.next_tick, self.unknown = 0, False
        self.running = True
        self.cues += 1
        self._cued_us = self.last_us
        self._shifts.clear()

    def _clock(self, time_us: int) -> list[Violation]:
        self.ticks += 1
        self.clock_us = time_us
        tick, self.next_tick = self.next_tick, self.next_tick + 1
        if self.unknown or not self.running:
            return self._unexpected(time_us)
        timeline = self.song.at(time_us)
        if not timeline.playing:
            return self._unexpected(time_us)
        here_us = time_us + round(self.clock_off_us)
        shift = tick - tick_at(timeline, here_us) % LAST_TICK
        self._shifts.append((time_us, shift))
        while self._shifts[0][0] < time_us - LOOK_US - S:
            self._shifts.popleft()
        if time_us < self._judged_us + JUDGE_EVERY_US:
            return []
        self._judged_us = time_us
        return self._judge(time_us)

    def _unexpected(self, time_us: int) -> list[Violation]:
        """A clock to a device that stands, or of a song that does."""
        stands = not self.song.at(time_us).playing
        if stands and self._is_calm(time_us, time_us):
            return self._tell(time_us, "tick doubled", 0, "a clock while the room stands")
        return []

    def _judge(self, time_us: int) -> list[Violation]:
        if not self._is_calm(time_us, time_us):
            return []
        shifts = [shift for at_us, shift in self._shifts if at_us >= time_us - LOOK_US]
        spans = self._shifts[0][0] <= time_us - LOOK_US and len(shifts) >= LEAST_TICKS
        few, many = (sum(sign * s > SHIFTED for s in shifts) for sign in (-1, 1))
        if not spans or max(few, many) < SHIFTED_SHARE * len(shifts):
            if spans and not (few or many):
                self._told = None
            return []
        middle = sorted(shifts)[len(shifts) // 2]
        if self._was_missed(time_us, middle) or self._was_not_missed(time_us, middle):
            return []
        kind = "tick doubled" if middle > 0 else "tick lost"
        seen = f"its place is {middle:+.2f} ticks beside the room's (its clock: "
        seen += f"{self.clock_off_us / 1000:+.1f} ms, within {self.clock_bound_us / 1000:.1f}); "
        seen += self._what_was(time_us)
        return self._tell(time_us, kind, round(middle), seen)

    def _what_was(self, time_us: int) -> str:
        """What may be to blame, for who reads it."""
        gaps = [g for g in self._newest_gaps if time_us - 20 * S < g[1] <= time_us]
        ago = ", ".join(f"{(time_us - e) / S:.1f} s ago {(e - b) // 1000} ms" for b, e in gaps)
        cued = f"put there {(time_us - self._cued_us) / S:.1f} s ago, {self.forgiven} forgiven"
        return f"{cued}, JACK left out: {ago or 'nothing'}"

    def _was_missed(self, time_us: int, shift: float) -> bool:
        """Whether a shift is what was in a gap, which is forgiven once."""
        for gap in self._gaps:
            begin_us, end_us = gap
            ticks = tick_at(self.song.at(end_us), end_us) - tick_at(self.song.at(end_us), begin_us)
            if end_us < time_us < end_us + 3 * LOOK_US and -ticks - 2 < shift < 0:
                self._forgive(time_us, -round(shift))
                self._gaps.remove(gap)
                return True
        return False

    def _was_not_missed(self, time_us: int, shift: float) -> bool:
        """Whether it is ahead by what was forgiven: behind an xrun the device's frames are late
        for a while, as if something had been missed."""
        for at_us, ticks in self._lent:
            if time_us < at_us + LENT_US and ticks == round(shift):
                self._lent.remove((at_us, ticks))
                self._forgive(time_us, -ticks)
                return True
        return False

    def _forgive(self, time_us: int, ticks: int) -> None:
        self.next_tick += ticks
        self.forgiven += ticks
        self._shifts.clear()
        if ticks > 0:
            self._lent = deque([*self._lent, (time_us, ticks)], 10)

    def _is_calm(self, from_us: int, to_us: int) -> bool:
        timeline = self.song.at(to_us)
        bar_us = timeline.meter.bar_beats * 60_000 / max(timeline.mbpm, 20_000)
        before_us = round(bar_us) + (FAR_US if self.far else BEHIND_CHANGE_US)
        steady = self.song.is_steady(from_us - before_us, to_us + 100_000)
        return steady and self.calm.is_calm(self.who, from_us, to_us)

    def _tell(self, at_us: int, invariant: str, how: int, seen: str) -> list[Violation]:
        """Once, until it is over or worse."""
        if self._told == (invariant, how):
            return []
        self._told = invariant, how
        return [Violation(at_us, invariant, self.who, seen)]
