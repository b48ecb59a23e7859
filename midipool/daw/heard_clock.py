"""A DAW's clock next to ours: each heard tick is paired with one of ours. See `echo`."""

from collections import deque
from itertools import pairwise
from statistics import median

from midipool.daw.echo_lag import LAG_OFF_SIGMAS, LAG_OFF_US, MOST_NOISE_US, EchoLag
from midipool.daw.sent_clock import EARLY_US, SPAN_TICKS, SentClock

MAX_DELAY_US = 550_000
# A follower may play on for half a second after our clock stopped.
TAIL_US = MAX_DELAY_US + 550_000
GAP_US = 500_000
# A clock is judged to be an echo by so many ticks.
MATCH_TICKS = 42
CHECK_EVERY_TICKS = 6
MATCH_SHARE = 0.8
MATCH_OFF_US, MATCH_OFF_SIGMAS = 1_500.0, 1.5
# Overshoot is a share of our own change of tempo.
SPAN_JITTER_US, OVERSHOOT = 8_000, 0.5
SPAN_REACH = 0.06
FOREIGN_CHECKS = 12


class HeardClock:
    """One train of heard ticks, paired with ours."""

    def __init__(self) -> None:
        self.alone = 0
        """Ticks in a row at which no clock of ours was running."""
        self._times: deque[int] = deque(maxlen=MATCH_TICKS)
        self._ticks = 0
        self._pair: int | None = None
        """The number of our tick that the newest one is paired with."""
        self._lag = EchoLag()
        self._foreign = 0
        """Checks in a row at which the tempo could be no follower's."""

    def paused(self, time_us: int) -> bool:
        """Whether nothing was heard for long before a tick."""
        return bool(self._times) and abs(time_us - self._times[-1]) > GAP_US

    def tick(self, time_us: int, ours: SentClock) -> None:
        """One was heard."""
        self._times.append(time_us)
        self._ticks += 1
        newest = ours.newest(time_us + EARLY_US)
        newest_us = ours.time_of(newest)
        if newest_us is None or time_us - newest_us > TAIL_US:
            self.alone += 1
            self._unpair()
            return
        self.alone = 0
        pair_us = ours.time_of(self._pair + 1) if self._pair is not None else None
        if self._pair is None or pair_us is None or not -GAP_US < time_us - pair_us < TAIL_US:
            self._unpair()
            self._pair, pair_us = newest, newest_us
        else:
            self._pair += 1
        self._lag.take(time_us - pair_us, self._period_us(), ours.is_followed(time_us))

    def _unpair(self) -> None:
        self._pair = None
        self._lag.lose()

    def _period_us(self) -> float:
        times = self._times
        return max((times[-1] - times[0]) / max(len(times) - 1, 1), 1.0)

    def foreign(self, ours: SentClock) -> bool:
        """Whether the tempo is one that no follower of ours can have."""
        if self._ticks < 2 * SPAN_TICKS or self._ticks % CHECK_EVERY_TICKS:
            return False
        spans = ours.spans(self._times[-1])
        if spans is None:
            return False
        times = list(self._times)[-2 * SPAN_TICKS :]
        span = median(late - soon for soon, late in zip(times, times[SPAN_TICKS:], strict=False))
        least, most = spans
        reach_us = OVERSHOOT * (most - least) + max(SPAN_JITTER_US, SPAN_REACH * most)
        self._foreign = 0 if least - reach_us <= span <= most + reach_us else self._foreign + 1
        return self._foreign >= FOREIGN_CHECKS

    def walked_away(self) -> bool:
        """Whether the lag has left its place for good."""
        return self._lag.walked_away(self._times[-1], self._period_us())

    def matches(self, ours: SentClock) -> bool:
        """Whether the last ticks are ours with some one delay."""
        if self._pair is None or self._ticks < MATCH_TICKS or self._ticks % CHECK_EVERY_TICKS:
            return False
        # At worst all of the half second is full of ticks, and so many delays are tried.
        for pair in range(ours.newest(self._times[-1] + EARLY_US), -1, -1):
            pair_us = ours.time_of(pair)
            if pair_us is None or self._times[-1] - pair_us > MAX_DELAY_US:
                return False
            if self._matches(ours, pair):
                return True
        return False

    def _matches(self, ours: SentClock, pair: int) -> bool:
        sent = [ours.time_of(pair - back) for back in reversed(range(MATCH_TICKS))]
        lags = [h - s for h, s in zip(self._times, sent, strict=True) if s is not None]
        if len(lags) < MATCH_TICKS:
            return False
        moved = [min(abs(b - a), MOST_NOISE_US) for a, b in pairwise(lags)]
        noise_us = sum(moved) / len(moved) / 1.13
        third = MATCH_TICKS // 3
        middles = [median(lags[begin : begin + third]) for begin in range(0, MATCH_TICKS, third)]
        if max(middles) - min(middles) > max(MATCH_OFF_US, MATCH_OFF_SIGMAS * noise_us):
            return False
        off_us = max(LAG_OFF_US, LAG_OFF_SIGMAS * noise_us)
        near = sum(abs(lag_us - middles[1]) <= 1.5 * off_us for lag_us in lags)
        return near >= MATCH_SHARE * MATCH_TICKS
