"""The clock that midiPool sends to a DAW: when each tick is, and when it changed its pace."""

from bisect import bisect_right

from midipool.meter import CLOCKS_PER_BEAT

EARLY_US = 10_000
# A follower is given so many of our ticks to come after a change, or twice that if it still moves.
FOLLOWING_TICKS = 8 * CLOCKS_PER_BEAT
# Tempo is compared over half a beat.
SPAN_TICKS = CLOCKS_PER_BEAT // 2
SENT_TICKS, AHEAD_TICKS = 512, 4096
US_BETWEEN_CHANGES, MOST_CHANGES = 100_000, 256
LONGEST_TICK_US = 150_000


class SentClock:
    """Our ticks of the last seconds, and when we changed. Ticks are numbered from the first."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._forgotten = 0
        self._changes: list[int] = []

    def tick(self, time_us: int) -> None:
        """One of ours is at a time; what was told for later is taken back."""
        times = self._times
        while times and times[-1] > time_us:
            times.pop()
        times.append(time_us)
        if len(times) > 2 * CLOCKS_PER_BEAT and self._bends():
            self.change(time_us)
        if len(times) > SENT_TICKS + AHEAD_TICKS:
            del times[:SENT_TICKS]
            self._forgotten += SENT_TICKS

    def _bends(self) -> bool:
        """Whether the last beat took another time than the one before, beyond rounding."""
        a, b, c = (self._times[-1 - back * CLOCKS_PER_BEAT] for back in (2, 1, 0))
        return abs((c - b) - (b - a)) > 3 + (c - a) // 100_000

    def change(self, time_us: int) -> None:
        """A tempo, start or stop. A ramp changes with each tick: ten a second are kept."""
        changes = self._changes
        while changes and changes[-1] > time_us:
            changes.pop()
        if len(changes) > 1 and time_us - changes[-2] < US_BETWEEN_CHANGES:
            changes.pop()
        changes.append(time_us)
        del changes[:-MOST_CHANGES]

    def time_of(self, number: int) -> int | None:
        """When a tick is; None if it is forgotten, or more than a beat ahead of the last."""
        times, place = self._times, number - self._forgotten
        if 0 <= place < len(times):
            return times[place]
        beyond = place - len(times) + 1
        if len(times) < 2 or not 0 < beyond <= CLOCKS_PER_BEAT:
            return None
        # A DAW that is ahead of us may be heard before our tick is known.
        return times[-1] + beyond * min(times[-1] - times[-2], LONGEST_TICK_US)

    def newest(self, time_us: int) -> int:
        """The number of the last tick that is not after a time; of none, one that never was."""
        return self._forgotten + bisect_right(self._times, time_us) - 1

    def is_followed(self, time_us: int) -> bool:
        """Whether a follower may still be coming after a change of ours."""
        place = bisect_right(self._changes, time_us + EARLY_US)
        if place == 0:
            return False
        since = self.newest(time_us) - self.newest(self._changes[place - 1])
        return since < FOLLOWING_TICKS

    def spans(self, time_us: int) -> tuple[int, int] | None:
        """The least and most time that half a beat took while a follower came after it."""
        end = self.newest(time_us) - self._forgotten + 1
        times = self._times[max(end - FOLLOWING_TICKS - 2 * CLOCKS_PER_BEAT, 0) : end]
        spans = [
            late - soon
            for soon, late in zip(times[:-SPAN_TICKS], times[SPAN_TICKS:], strict=True)
            if late - soon < SPAN_TICKS * LONGEST_TICK_US
        ]
        return (min(spans), max(spans)) if spans else None
