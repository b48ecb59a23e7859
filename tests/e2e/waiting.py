"""Waiting on a condition, with a deadline."""

import time
from collections.abc import Callable

# The JACK servers beside us need the processor.
LOOK_AGAIN_S = 0.02


def wait_until(done: Callable[[], bool], timeout_s: float = 10.0) -> None:
    give_up = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(LOOK_AGAIN_S)
