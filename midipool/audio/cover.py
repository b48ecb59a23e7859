"""How much sound lies decoded for the case that the listener's machine comes late. Pure.

A system that stands still for some ms does so again. How much of the cover each such moment needs
is counted also where it was enough, so that what is needed is known, and nothing is tried out: it
is what the last minutes needed, but for one stray moment. Near an xrun the device itself stood
still: no buffer helps there.
"""

from collections import deque
from heapq import nlargest

WINDOW_US = 120_000_000
SLOT_US = 1_000_000
NEAR_XRUN_US = 1_000_000
GRAIN_US = 500
MOST_US = 10_000
STEP_US, STEP_EVERY_US = 250, 250_000


class Cover:
    """The cover of one sender's stream, in µs. Call `look` as often as it is counted."""

    def __init__(self, least_us: int, period_us: int) -> None:
        self.least_us = self.us = least_us
        self.period_us = period_us
        """Of the listener's device, which takes a whole period at once: less is no cover."""
        self._slots: deque[tuple[int, int]] = deque()
        self._needed_us = least_us
        """Of the slots as they are."""
        self._stepped_us = 0
        self._xruns: int | None = None
        self._xrun_us = -NEAR_XRUN_US

    def near_xrun(self, now_us: int) -> bool:
        """Whether the device had one lately."""
        return now_us - self._xrun_us < NEAR_XRUN_US

    def look(self, now_us: int, used_us: int, xruns: int) -> None:
        """So much was used since the last look, at most; the device had `xruns` so far."""
        if self._xruns is not None and xruns != self._xruns:
            self._xrun_us = now_us
            while self._slots and now_us - self._slots[-1][0] < NEAR_XRUN_US + SLOT_US:
                self._slots.pop()
            self._reckon()
        self._xruns = xruns
        if not self.near_xrun(now_us):
            self._note(now_us, used_us)
        self._follow(now_us)

    def _note(self, now_us: int, used_us: int) -> None:
        if self._slots and now_us - self._slots[-1][0] < SLOT_US:
            slot_us, most_us = self._slots[-1]
            if used_us <= most_us:
                return  # as at most looks
            self._slots[-1] = slot_us, used_us
        else:
            self._slots.append((now_us, used_us))
        while self._slots and now_us - self._slots[0][0] >= WINDOW_US:
            self._slots.popleft()
        self._reckon()

    def _reckon(self) -> None:
        most = nlargest(2, (used_us for _, used_us in self._slots))
        again_us = most[1] if len(most) == 2 else 0
        most_us = max(MOST_US, self.period_us + GRAIN_US)
        self._needed_us = max(self.least_us, min(again_us + GRAIN_US, most_us))

    def _follow(self, now_us: int) -> None:
        needed_us = self._needed_us
        if needed_us >= self.us:
            self.us = needed_us
        elif now_us - self._stepped_us >= STEP_EVERY_US:
            self.us, self._stepped_us = max(self.us - STEP_US, needed_us), now_us
