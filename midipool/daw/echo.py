"""Is what a DAW says only the echo of what it was told?

A DAW that follows sends our own clock back: late by up to half a second, with jitter, perhaps
smoothed by a loop of its own. Taken for a leader, it would be a room that follows itself.

All that can be seen of its delay is the phase: which of our ticks a tick answers is not written
on it. So each heard tick is paired with the next one of ours, and the time between the two is its
*lag*. An echo's lag stays where it is, apart from jitter; a DAW with a clock of its own walks
away from it, sooner or later. After a change of our own (tempo, start, stop) a follower has eight
beats to come after it: for so long only a tempo that no follower could have is held against it.
"""

from collections import deque

from midipool.daw.heard_clock import HeardClock
from midipool.daw.sent_clock import EARLY_US, SentClock

# How long after our start, stop or position a DAW's own still answers it.
ANSWER_US = 600_000
# A clock is none of ours after so many ticks without ours.
ALONE_TICKS = 6

TICK, START, CONTINUE, STOP, POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2
# What we sent that a DAW may answer with a status byte or MMC command (RP-013).
ANSWERS_TO = {
    START: {START, CONTINUE},
    CONTINUE: {START, CONTINUE},
    STOP: {STOP},
    POSITION: {POSITION, START, CONTINUE, STOP},
}
MMC_AS = {0x01: STOP, 0x02: START, 0x03: START, 0x09: STOP, 0x44: POSITION}


class EchoGuard:
    """Compares what is heard on midi_send with what was sent on midi_receive.

    All times are µs on one clock. Ours may be told ahead of time; one that is before the last
    takes back what was told for later. About 10 s at most are remembered.
    """

    def __init__(self) -> None:
        self._ours = SentClock()
        self._told: deque[tuple[int, int]] = deque(maxlen=64)
        self._heard = HeardClock()
        self._is_echo: bool | None = None

    def sent(self, time_us: int, data: bytes) -> None:
        """One message of ours (F8, FA, FB, FC or F2) is on the port at a time."""
        status = data[0] if data else 0
        if status == TICK:
            self._ours.tick(time_us)
        elif status in ANSWERS_TO:
            while self._told and self._told[-1][0] > time_us:
                self._told.pop()
            self._told.append((time_us, status))
            if status != POSITION:
                self._ours.change(time_us)

    @property
    def clock_is_echo(self) -> bool | None:
        """Whether the clock that is heard is ours; None while that is not known.

        An echo stays one until its ticks say otherwise, also while the DAW is stopped. A clock
        that is none stays so until it pauses, or the DAW answers a start, stop or position of
        ours: a leader whose room is in step with it could not be told from an echo.
        """
        return self._is_echo

    def tick(self, time_us: int) -> None:
        """An F8 was heard."""
        heard = self._heard
        if heard.paused(time_us):
            self._begin()
            heard = self._heard
        heard.tick(time_us, self._ours)
        if heard.alone >= ALONE_TICKS or heard.foreign(self._ours) or heard.walked_away():
            self._is_echo = False
        elif self._is_echo is None and heard.matches(self._ours):
            self._is_echo = True

    def is_echo(self, time_us: int, data: bytes) -> bool:
        """Whether a message heard (FA, FB, FC, F2 or MMC) only answers one of ours."""
        asked = _as_status(data)
        if asked is None:
            return False
        answers = ANSWERS_TO[asked]
        answered = any(
            -EARLY_US <= time_us - sent_us <= ANSWER_US and status in answers
            for sent_us, status in self._told
        )
        if answered and self._is_echo is False:
            # It listens to us: perhaps its clock does so too from now on.
            self._begin()
        return answered

    def _begin(self) -> None:
        self._heard = HeardClock()
        if self._is_echo is False:
            self._is_echo = None


def _as_status(data: bytes) -> int | None:
    """The status byte of a message, or the one that an MMC command means."""
    if len(data) > 5 and data[0] == 0xF0 and data[1] == 0x7F and data[3] == 0x06:
        return MMC_AS.get(data[4])
    return data[0] if data and data[0] in ANSWERS_TO else None
