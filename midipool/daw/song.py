"""Where a DAW's song is, and when it starts, stops and jumps, from what the DAW says.

One press of a button comes as several messages: F2 and FB, FA and MMC play, FC, F2 and FB. Those
that belong together are waited for, and become one happening. The F8 behind FA or FB is the beat
itself (MIDI 1.0, Song Position Pointer and Start), so its time is the happening's.
"""

from dataclasses import dataclass

from midipool.daw.control import Continue, ControlEvent, MmcPlay, MmcStop, Start, Stop
from midipool.daw.said_place import Placed

# A DAW that sends no clock has begun when it said so.
NO_CLOCK_US = 250_000
# FA and MMC play within this are one press of a button.
REPEAT_US = 200_000
# FC, F2, FB is a jump if it comes as fast as this.
STOP_HOLD_US = 30_000
# A cursor that is dragged is where it comes to rest.
REST_US = 100_000


@dataclass(frozen=True, slots=True)
class Began:
    """The song plays: at `since_us` it was at `tick` (None: nobody knows)."""

    tick: int | None
    since_us: int
    anew: bool
    """By a start, so from the beginning."""


@dataclass(frozen=True, slots=True)
class Jumped:
    """The song plays, and got from one tick to another: at `since_us` it was at `tick`."""

    from_tick: int | None
    tick: int
    since_us: int


@dataclass(frozen=True, slots=True)
class Ceased:
    """The song was stopped."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The song stands, and was moved to a tick."""

    tick: int


Happening = Began | Jumped | Ceased | Moved


@dataclass(slots=True)
class _Cue:
    """A start or continue that waits for its first clock until `due_us`."""

    time_us: int
    due_us: int
    own: bool
    anew: bool = False
    by_mmc: bool = False
    """MMC play: it waits for an FA or FB that says the same, and clocks pass meanwhile."""
    first_clock_us: int | None = None
    clocks: int = 0


@dataclass(frozen=True, slots=True)
class _Later:
    """Something that happens at `due_us` unless more is said until then."""

    due_us: int
    own: bool
    tick: int | None
    """Where the song gets, or where it was stopped."""


class DawSong:
    """Takes control events and clocks; returns what happened. Ticks are 24ths of a beat.

    `own` says that an event is the DAW's own doing. One that only repeats what midiPool said
    moves the song just the same, but nothing has happened.
    """

    def __init__(self) -> None:
        self.running = False
        self.next_tick: int | None = None
        """The tick of the song that the next F8 is, while it runs; None while nobody knows."""
        self._cue: _Cue | None = None
        self._stop: _Later | None = None
        self._rest: _Later | None = None
        self._jump: _Later | None = None
        self._began_us = self._ceased_us = self._jumped_us = -(2**62)
        self._ticks = False
        """Whether a clock has come since the song began."""
        self._unsaid: bool | None = None
        """A jump was kept back, because another one was just before it; whether it is own."""

    @property
    def waits_for_clock(self) -> bool:
        """Whether the next F8 is where a start, continue or jump begins."""
        return self._jump is not None or (self._cue is not None and not self._cue.by_mmc)

    def hear(self, event: ControlEvent | Placed, own: bool) -> list[Happening]:
        """A transport or position event came; those due before it are to be polled first."""
        match event:
            case Start(time_us=time_us):
                self._start(time_us, own)
            case Continue(time_us=time_us):
                self._continue(time_us, own)
            case MmcPlay(time_us=time_us):
                self._mmc_play(time_us, own)
            case Stop(time_us=time_us) | MmcStop(time_us=time_us):
                self._stopped(time_us, own)
            case Placed(time_us=time_us, tick=tick):
                self._located(time_us, tick, own)
        return []

    def tick(self, time_us: int) -> list[Happening]:
        """An F8 came, whose time without jitter is `time_us`."""
        cue = self._cue
        if cue is not None and not cue.by_mmc:
            return self._begin(cue, time_us)
        if cue is not None:
            cue.first_clock_us = time_us if cue.first_clock_us is None else cue.first_clock_us
            cue.clocks += 1
        if not self.running:
            return []
        self._ticks = True
        out = self._land(time_us)
        if self.next_tick is not None:
            self.next_tick += 1
        return out

    def poll(self, now_us: int) -> list[Happening]:
        """What has happened by `now_us` because nothing more was said."""
        out: list[Happening] = []
        if self._cue is not None and self._cue.due_us <= now_us:
            out += self._give_up_waiting(self._cue)
        if self._stop is not None and self._stop.due_us <= now_us:
            out += [Ceased()] if self._stop.own else []
            self._stop = None
        if self._jump is not None and self._jump.due_us <= now_us:
            out += self._land(self._jump.due_us - NO_CLOCK_US)
        rest = self._rest
        if rest is not None and rest.due_us <= now_us:
            out += [Moved(rest.tick)] if rest.own and rest.tick is not None else []
            self._rest = None
        return out

    def next_deadline(self) -> int | None:
        """When `poll` has something to do; None while nothing is waited for."""
        waiting = (self._cue, self._stop, self._jump, self._rest)
        return min((each.due_us for each in waiting if each is not None), default=None)

    # ---- what is said ----

    def _start(self, time_us: int, own: bool) -> None:
        just_began = self.running and time_us - self._began_us < REPEAT_US
        if just_began or (self._cue is not None and self._cue.anew):
            return
        self._stop = self._rest = self._jump = None
        self._cue = _Cue(time_us, time_us + NO_CLOCK_US, own, anew=True)

    def _continue(self, time_us: int, own: bool) -> None:
        if self._stop is not None and self._stop.tick is not None:
            self._go_on(self._stop.tick, time_us, own)
        elif not self.running and (self._cue is None or self._cue.by_mmc):
            self._stop = self._rest = None
            self._cue = _Cue(time_us, time_us + NO_CLOCK_US, own)

    def _go_on(self, from_tick: int, time_us: int, own: bool) -> None:
        """FC, perhaps F2, and FB: the song was not stopped, it jumped."""
        self._jump = _Later(time_us + NO_CLOCK_US, own, self.next_tick)
        self.running, self.next_tick = True, from_tick
        self._stop = self._rest = None

    def _mmc_play(self, time_us: int, own: bool) -> None:
        if not self.running and self._cue is None:
            self._stop = self._rest = None
            self._cue = _Cue(time_us, time_us + REPEAT_US, own, by_mmc=True)

    def _stopped(self, time_us: int, own: bool) -> None:
        again = not self.running and self._cue is None and time_us - self._ceased_us < REPEAT_US
        if again:
            return
        self._ceased_us = time_us
        ran_at = self.next_tick if self.running else None
        self._stop = _Later(time_us + STOP_HOLD_US, own, ran_at)
        if self.running and not self._ticks:
            self.next_tick = None  # It went on from there, and nobody counted.
        self._cue = self._jump = self._unsaid = None
        self.running = False

    def _located(self, time_us: int, tick: int, own: bool) -> None:
        if self._cue is not None:
            self.next_tick = None if self._cue.anew else tick
        elif self.running:
            self._jump = _Later(time_us + NO_CLOCK_US, own, tick)
        else:
            self.next_tick = tick
            self._rest = _Later(time_us + REST_US, own, tick)

    # ---- what happens ----

    def _begin(self, cue: _Cue, time_us: int) -> list[Happening]:
        """The first clock of a start or continue."""
        out = self._run(cue, time_us)
        self._ticks = True
        if self.next_tick is not None:
            self.next_tick += 1
        return out

    def _run(self, cue: _Cue, since_us: int) -> list[Happening]:
        self._cue = self._stop = self._rest = self._unsaid = None
        self.running, self._ticks = True, cue.clocks > 0
        self._began_us = cue.time_us
        if cue.anew:
            self.next_tick = 0
        return [Began(self.next_tick, since_us, cue.anew)] if cue.own else []

    def _give_up_waiting(self, cue: _Cue) -> list[Happening]:
        since_us = cue.time_us if cue.first_clock_us is None else cue.first_clock_us
        out = self._run(cue, since_us)
        if self.next_tick is not None:
            self.next_tick += cue.clocks
        return out

    def _land(self, time_us: int) -> list[Happening]:
        """Carry out a jump that is waiting, and say so unless one was said just now."""
        jump, came_from = self._jump, self.next_tick
        if jump is not None:
            self._jump, self.next_tick = None, jump.tick
            self._unsaid = jump.own if jump.tick != came_from else self._unsaid
        if self._unsaid is None or time_us - self._jumped_us < REST_US:
            return []
        own, self._unsaid, self._jumped_us = self._unsaid, None, time_us
        if not own or self.next_tick is None:
            return []
        return [Jumped(came_from if jump is not None else None, self.next_tick, time_us)]
