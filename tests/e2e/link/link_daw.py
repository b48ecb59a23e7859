"""A DAW with Link, in a process of its own, that writes down what it sees of its session.

The program, `python -m tests.e2e.link.link_daw BPM`, uses the library as any app does, and shares
no code with the bridge. Every 10 ms it prints a line: CLOCK_MONOTONIC in ns, its phase in bars of
4 beats, BPM, playing (0 or 1), peers. It obeys words on standard input, one command a line:

    tempo BPM | start | stop
"""

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import link

from midipool_demo.background import child_environment
from tests.netlab import Host

BAR_BEATS = 4.0
EVERY_S = 0.01
TRIES = 5
TIGHT_NS = 20_000


def main(bpm: float) -> None:
    app = link.Link(bpm)
    app.startStopSyncEnabled = True
    app.enabled = True
    while True:
        if select.select([sys.stdin], [], [], EVERY_S)[0]:
            words = os.read(sys.stdin.fileno(), 4096).decode()
            if not words:
                break
            for line in words.splitlines():
                _obey(app, line.split())
        _look(app)
    app.enabled = False


def _obey(app: link.Link, words: list[str]) -> None:
    state, now_us = app.captureAppSessionState(), app.clock().micros()
    match words:
        case ["tempo", bpm]:
            state.setTempo(float(bpm), now_us)
        case ["start"]:
            state.setIsPlaying(True, now_us)
            state.requestBeatAtStartPlayingTime(0, BAR_BEATS)
        case ["stop"]:
            state.setIsPlaying(False, now_us)
    app.commitAppSessionState(state)


def _look(app: link.Link) -> None:
    clock, readings = app.clock(), []
    for _ in range(TRIES):
        before_ns, link_us = time.monotonic_ns(), clock.micros()
        readings.append((time.monotonic_ns() - before_ns, before_ns, link_us))
    apart_ns, before_ns, link_us = min(readings)
    if apart_ns > TIGHT_NS:
        return  # kept from the processor in between: the phase would be off by that
    state = app.captureAppSessionState()
    seen = (state.phaseAtTime(link_us, BAR_BEATS), state.tempo(), int(state.isPlaying()))
    sys.stdout.write(f"{before_ns + apart_ns // 2} {seen[0]:.9f} {seen[1]:.9f} {seen[2]}")
    sys.stdout.write(f" {app.numPeers()}\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Look:
    """A Link session, as an app on it saw it at one instant."""

    host_ns: int
    beats: float
    """Since the bar line."""
    bpm: float
    playing: bool
    peers: int

    def beats_at(self, host_ns: int) -> float:
        """Beats since the same bar line at another instant, at the tempo of this one."""
        return self.beats + (host_ns - self.host_ns) * self.bpm / 60e9


def apart_us(a: Look, b: Look) -> float:
    """By how much the bars of `a` are behind those of `b`, in µs."""
    behind = (b.beats - a.beats_at(b.host_ns) + BAR_BEATS / 2) % BAR_BEATS - BAR_BEATS / 2
    return behind * 60e6 / b.bpm


class LinkDaw:
    """Runs the program on a host and collects what it sees; used as a context manager."""

    def __init__(self, host: Host, bpm: float = 120.0) -> None:
        self.looks: list[Look] = []
        self._changed = threading.Condition()
        self._process: subprocess.Popen[str] = host.popen(
            [sys.executable, "-m", "tests.e2e.link.link_daw", str(bpm)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(),
            text=True,
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            at_ns, beats, bpm, playing, peers = line.split()
            look = Look(int(at_ns), float(beats), float(bpm), playing == "1", int(peers))
            with self._changed:
                self.looks.append(look)
                self._changed.notify_all()

    def __call__(self, *words: object) -> None:
        """Obey."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    @property
    def now(self) -> Look:
        """What it saw last."""
        return self.looks[-1]

    def wait_until(self, done: Callable[[Look], bool], timeout_s: float = 10.0) -> Look:
        """Wait for what it sees; raises AssertionError."""
        give_up = time.monotonic() + timeout_s
        with self._changed:
            while not (self.looks and done(self.now)):
                left_s = give_up - time.monotonic()
                assert left_s > 0, f"it did not happen in time; the last look: {self.looks[-1:]}"
                self._changed.wait(left_s)
            return self.now

    def __enter__(self) -> "LinkDaw":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._reader.join()
        self._process.stdout.close()


if __name__ == "__main__":
    main(float(sys.argv[1]))
