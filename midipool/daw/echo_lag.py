"""The lag of a heard clock behind ours: where an echo keeps it, and whether it has left it.

An echo's lag stays where it is, apart from jitter, a lost tick, and a slow creep. After a change of
ours a follower may take its time; until it has come to rest, no lag is held against it.
"""

from collections import deque
from statistics import median

from midipool.daw.sent_clock import FOLLOWING_TICKS, SPAN_TICKS
from midipool.meter import CLOCKS_PER_BEAT

LAGS = 64
MOST_NOISE_US = 15_000
# A lag is off beyond this, or beyond so many sigmas: seldom for one tick, never for ten.
LAG_OFF_US, LAG_OFF_SIGMAS = 2_000.0, 2.0
SETTLE_TICKS, AT_REST_US = 30, 500.0
SWING_US = 5_000.0
# So many ticks in a row may be late because a machine stalled.
STALL_US, LEAST_OFF_TICKS = 100_000, 10
# A delay may take another value once in a while; a leader's does so again at once.
STEP_EVERY_US = 8_000_000
# A follower's delay may creep this slowly.
CREEP_US = 60_000_000


class EchoLag:
    """Takes lag after lag. `period_us` is the time of a heard tick."""

    def __init__(self) -> None:
        self._lags: deque[int] = deque(maxlen=LAGS)
        self._usual_us: float | None = None
        """The lag that an echo keeps to; None while it may be another."""
        self._noise_us = 0.0
        self._stepped_us: int | None = None
        self._since_change = 0
        """Lags since a change of ours."""
        self._swings = False
        """Whether a change of ours is not long ago."""

    def lose(self) -> None:
        """There is no lag just now."""
        self._usual_us, self._since_change = None, 0
        self._lags.clear()

    def take(self, lag_us: int, period_us: float, following: bool) -> None:
        """The next lag; with `following`, a change of ours is not long ago."""
        if self._lags:
            moved_us = min(abs(lag_us - self._lags[-1]), MOST_NOISE_US)
            # Two samples differ by 1.13 sigma on average.
            gain = 1 / min(len(self._lags), 2 * CLOCKS_PER_BEAT)
            self._noise_us += (moved_us / 1.13 - self._noise_us) * gain
        self._lags.append(lag_us)
        if following:
            self._usual_us = None
            self._swings, self._since_change = True, 0
            return
        self._since_change += 1
        if self._swings and self._since_change > FOLLOWING_TICKS:
            self._swings, self._usual_us = False, None
        if self._usual_us is None:
            self._settle()
        else:
            near_us = min(max(lag_us - self._usual_us, -self._off_us()), self._off_us())
            self._usual_us += near_us * min(period_us / CREEP_US, 1.0)

    def _settle(self) -> None:
        beat = list(self._lags)[-SETTLE_TICKS:]
        if min(self._since_change, len(beat)) < SETTLE_TICKS:
            return
        half = SETTLE_TICKS // 2
        moved_us = abs(median(beat[half:]) - median(beat[:half]))
        at_rest = moved_us <= max(AT_REST_US, self._noise_us)
        if at_rest or not self._swings or self._since_change >= FOLLOWING_TICKS:
            self._usual_us = median(beat)

    def _off_us(self) -> float:
        off_us = max(LAG_OFF_US, LAG_OFF_SIGMAS * self._noise_us)
        # A follower's loop swings for a while after it seems to have come to rest.
        return off_us + SWING_US if self._swings else off_us

    def walked_away(self, now_us: int, period_us: float) -> bool:
        """Whether the lag has left its place for good."""
        if self._usual_us is None:
            return False
        usual_us, off_us = self._usual_us, self._off_us()
        enough = int(min(max(STALL_US / period_us + 3, LEAST_OFF_TICKS), CLOCKS_PER_BEAT))
        lags = [lag_us - usual_us for lag_us in self._lags]
        last, before = lags[-enough - 2 :], lags[: -enough - 2][-CLOCKS_PER_BEAT:-SPAN_TICKS]
        late, early = sum(each > off_us for each in last), sum(each < -off_us for each in last)
        if max(late, early) < enough:
            return False
        return not self._stepped(last, before, now_us, period_us)

    def _stepped(
        self, last: list[float], before: list[float], now_us: int, period_us: float
    ) -> bool:
        """Whether the lag went to another place in one step, and stays there: still an echo.

        One or more ticks were lost, or the DAW's delay is another. A leader whose tempo is
        another looks the same at first, but is off again before long.
        """
        half, off_us = len(last) // 2, self._off_us()
        by_us = median(last)
        still = abs(median(last[half:]) - median(last[:half])) < max(abs(by_us) / 4, off_us / 4)
        periods = round(by_us / period_us)
        slipped = periods != 0 and abs(by_us - periods * period_us) < off_us
        at_once = bool(before) and abs(median(before)) < abs(by_us) / 4
        seldom = self._stepped_us is None or now_us - self._stepped_us > STEP_EVERY_US
        if not still or not (slipped or (at_once and seldom)):
            return False
        assert self._usual_us is not None
        self._usual_us += by_us
        if not slipped:
            self._stepped_us = now_us
        return True
