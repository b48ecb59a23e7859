"""Whether a member's DAW leads the room, follows it, or neither.

It leads from its own start, stop, continue or locate on, or by a tempo of its own, until somebody
else changes the room. Its clock is believed to be its own once it was heard while midiPool sent
none, or the echo guard says so.
"""

from typing import Literal

Mode = Literal["auto", "lead", "follow"]
RoleName = Literal["leading", "following", "idle"]
# A DAW that yielded leads again when its own tempo has changed by so much.
TEMPO_CHANGE = 0.005
# The guard's judgement of a clock is of the last beats: after a change of roles it is not asked.
GRACE_TICKS = 96


class LeadRole:
    """Who leads. In mode *lead* every clock is the DAW's own; in mode *follow* none is."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self.leads = False
        self.follows = False
        """Its clock only repeats ours."""
        self._own_clock = mode == "lead"
        self._yielded = False
        self._yielded_bpm: float | None = None
        """Its tempo when it yielded."""
        self._grace_ticks = 0

    @property
    def name(self) -> RoleName:
        """For displays."""
        if self.follows:
            return "following"
        return "leading" if self.leads else "idle"

    @property
    def own_clock(self) -> bool:
        """Whether its clock is not ours."""
        return self._own_clock and not self.follows

    @property
    def steers(self) -> bool:
        """Whether its clock is to be the room's."""
        return self.leads and self.own_clock

    def take(self) -> None:
        """The DAW did something of its own: it leads."""
        self._grace_ticks = 0 if self.leads else GRACE_TICKS
        self.leads, self.follows, self._yielded = True, False, False

    def give_up(self, bpm: float | None, doubtful: bool = False) -> None:
        """Somebody else changed the room, or it refused the DAW, whose tempo is `bpm` now.

        With `doubtful` it is to be judged anew whose clock it is.
        """
        self.leads, self._yielded, self._yielded_bpm = False, True, bpm
        self._grace_ticks = GRACE_TICKS
        self._own_clock = self._mode == "lead" or (self._own_clock and not doubtful)

    def judge(self, clock_is_echo: bool | None, unprompted: bool) -> None:
        """At each tick: what the guard says, and whether midiPool has sent no clock for long."""
        self._grace_ticks = max(self._grace_ticks - 1, 0)
        if self._mode == "lead" or self.follows:
            return
        if clock_is_echo is False or unprompted:
            self._own_clock = True
        elif clock_is_echo and not self.steers and self._grace_ticks == 0:
            # A room that is in phase with the DAW that leads it looks like an echo as well.
            self.follows, self._own_clock = True, False

    def hear_tempo(self, bpm: float, error_bpm: float) -> None:
        """The DAW's tempo as it is known now: a new one of its own makes it lead."""
        if self.leads or self.follows or not self._own_clock:
            return
        if not self._yielded:
            self.take()
        elif self._yielded_bpm is None:
            self._yielded_bpm = bpm
        elif abs(bpm - self._yielded_bpm) > TEMPO_CHANGE * self._yielded_bpm + error_bpm:
            self.take()
