"""Link's clock against the host's. Pure.

On Linux Link counts CLOCK_MONOTONIC_RAW, which the system's clock discipline does not touch; the
host clock is CLOCK_MONOTONIC, which it slews by up to 500 ppm, and in tests any other.
"""

from collections import deque

SAMPLE_EVERY_NS = 1_000_000_000
SAMPLES = 30
JUMP_US = 1000


class LinkClock:
    """Maps host time to Link's and back, from readings of both in one instant."""

    def __init__(self, host_ns: int, link_us: int) -> None:
        self._now = (host_ns, link_us)
        self._samples: deque[tuple[int, int]] = deque([self._now], SAMPLES)
        self.rate = 1.0
        """µs of Link's clock to one of the host's."""

    def add(self, host_ns: int, link_us: int) -> None:
        """Both clocks were read in one instant. A jump of one of them begins anew."""
        if abs(link_us - self.link_us(host_ns)) > JUMP_US:
            self._samples.clear()
        self._now = (host_ns, link_us)
        if not self._samples or host_ns - self._samples[-1][0] >= SAMPLE_EVERY_NS:
            self._samples.append(self._now)
            host_past_ns, link_past_us = self._samples[0]
            if host_ns > host_past_ns:
                self.rate = (link_us - link_past_us) * 1000 / (host_ns - host_past_ns)

    def link_us(self, host_ns: int) -> int:
        """Link's time, in µs, at host time `host_ns`."""
        then_ns, then_us = self._now
        return then_us + round((host_ns - then_ns) * self.rate / 1000)

    def host_ns(self, link_us: int) -> int:
        """Host time, in ns, at Link's time `link_us`."""
        then_ns, then_us = self._now
        return then_ns + round((link_us - then_us) * 1000 / self.rate)
