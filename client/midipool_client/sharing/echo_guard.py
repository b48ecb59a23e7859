"""Tells a DAW's echo of what it was given from what its player plays. Pure.

A DAW that passes its input through would otherwise send the others' notes back to them, and two
such DAWs would do so without end.
"""

from collections import deque

ECHO_US = 500_000
# A sink may put an event on the port a little before its time.
EARLY_US = 50_000
MAX_MESSAGES = 1024
MAX_TIMES = 64


class EchoGuard:
    """Remembers what was put on the port; each message excuses one echo of the same bytes."""

    def __init__(self) -> None:
        self._sent: dict[bytes, deque[int]] = {}

    def sent(self, time_us: int, data: bytes) -> None:
        """A message goes to the port at room time `time_us`."""
        times = self._sent.pop(data, None) or deque(maxlen=MAX_TIMES)
        times.append(time_us)
        # Popped and put back, so that the first of the dict is what was sent longest ago.
        self._sent[data] = times
        while len(self._sent) > MAX_MESSAGES:
            del self._sent[next(iter(self._sent))]

    def is_echo(self, time_us: int, data: bytes) -> bool:
        """Whether a message that came at `time_us` is an echo; it is counted if so."""
        times = self._sent.get(data)
        while times and times[0] < time_us - ECHO_US:
            times.popleft()
        if not times:
            self._sent.pop(data, None)
            return False
        if times[0] > time_us + EARLY_US:
            return False
        times.popleft()
        return True

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        for data, times in self._sent.items():
            self._sent[data] = deque((time_us + by_us for time_us in times), MAX_TIMES)
