"""Time limits for what cannot be asked to stop."""

import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from midipool.errors import Unavailable

T = TypeVar("T")
MOST_WORDS = 200


def within(seconds: float, function: Callable[[], T]) -> T:
    """What `function` returns or raises; raises TimeoutError when it takes too long.

    It goes on then in a thread that nobody waits for, not even the program's end.
    """
    done: queue.SimpleQueue[T | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put(function())
        except BaseException as error:  # The caller's to judge, whatever it is.
            done.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        outcome = done.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def ask_program(module: str, answer: type[T], seconds: float) -> T:
    """What one of our modules, run as a program, prints as JSON; raises Unavailable."""
    command = [sys.executable, "-m", module]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the trial did not end within {seconds:g} s") from None
    except OSError as error:
        raise Unavailable(f"the trial cannot be started: {error}") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
        raise Unavailable(f"the trial ended with {done.returncode}: {said[-1][:MOST_WORDS]}")
    try:
        return msgspec.json.decode(done.stdout, type=answer)
    except msgspec.DecodeError as error:
        raise Unavailable(f"the trial's answer is not readable: {error}") from None
