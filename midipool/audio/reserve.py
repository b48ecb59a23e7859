"""Time that is kept in hand against one kind of trouble. Pure.

It grows at once when it was too little, and comes down when nothing happened for a while, by 1 ms
a second: what resampling then changes of the pitch, 0.1 % or 2 cents, nobody hears. Where it was
too little it does not go again until that is forgiven, and each time that it came down too early it
waits twice as long, so that it does not swing.
"""

MOST_CALM_US = 160_000_000
FORGIVEN_US, MOST_FORGIVEN_US = 300_000_000, 3_600_000_000
STEP_US, STEP_EVERY_US = 250, 250_000


class Reserve:
    """A length of time in µs, of which `grain_us` is a piece that makes a difference."""

    def __init__(self, us: int, grain_us: int, calm_us: int) -> None:
        self.us = us
        self.grain_us = grain_us
        self._first_calm_us = self._calm_us = calm_us
        self._failures = 0
        self._least_us = 0
        self._raised_us: int | None = None
        self._calm_since_us: int | None = None
        self._stepped_us = 0
        self.falling = False
        """It comes down, or came down and has not been too little since."""

    def trouble(self, now_us: int) -> None:
        """Something happened: calm begins anew."""
        self._calm_since_us = now_us

    def raise_by(self, by_us: int, now_us: int, most_us: int) -> None:
        """It was too little."""
        before_us = self.us
        self.us = max(before_us, min(before_us + by_us, most_us))
        # What belongs to one trouble counts once.
        if self.falling:
            self._calm_us = min(2 * self._calm_us, MOST_CALM_US)
            self._least_us = before_us + self.grain_us
            self._failures += 1
        self.falling = False
        self._raised_us = now_us
        self.trouble(now_us)

    def rise_to(self, us: int) -> None:
        """It is known that so much is needed."""
        self.us, self.falling = us, False

    def calm_s(self, now_us: int) -> int:
        """For how many seconds nothing happened."""
        return 0 if self._calm_since_us is None else (now_us - self._calm_since_us) // 1_000_000

    def was_raised_within(self, us: int, now_us: int) -> bool:
        """Whether it was too little in the last `us` µs."""
        return self._raised_us is not None and now_us - self._raised_us < us

    def come_down(self, wanted_us: int, now_us: int) -> bool:
        """Go towards what is wanted, if it is time; returns whether it is on its way."""
        if self._calm_since_us is None:
            self._calm_since_us = now_us
        forgiven_us = min(FORGIVEN_US << max(self._failures - 1, 0), MOST_FORGIVEN_US)
        if self._raised_us is not None and now_us - self._raised_us >= forgiven_us:
            self._calm_us, self._raised_us, self._least_us = self._first_calm_us, None, 0
        if now_us - self._calm_since_us < self._calm_us:
            return False
        wanted_us = max(wanted_us, self._least_us)
        if self.us - wanted_us <= (0 if self.falling else 2 * self.grain_us):
            return False
        if not self.falling or now_us - self._stepped_us >= STEP_EVERY_US:
            self.us = max(self.us - STEP_US, wanted_us)
            self.falling, self._stepped_us = True, now_us
        return True
