"""A program on JACK that plays noise, and tells when it hears something for the first time.

`python -m tests.bench.first_sound SEED`: it connects itself to the audio ports of midiPool as soon
as they are there, prints the CLOCK_MONOTONIC time (ns) of the first sound, and ends with its input.
"""

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from midipool_demo.background import child_environment
from tests.e2e.owned_process import OwnedProcess
from tests.e2e.sound_daw import NOISE_FRAMES, noise

CONNECT_S = 0.01
OPEN_AGAIN_S = 0.2
TRIES, MOST_TRIES = "FIRST_SOUND_TRIES", 10
AUDIBLE = 0.01
CHANNELS = 2


def main(seed: int) -> None:
    import jack

    client = _open()
    wanted = {}
    for number in range(1, CHANNELS + 1):
        wanted[f"ear:out_{number}"] = f"midiPool-audio:audio_send_{number}"
        wanted[f"midiPool-audio:audio_receive_{number}"] = f"ear:in_{number}"
    outputs = [client.outports.register(f"out_{n + 1}") for n in range(CHANNELS)]
    inputs = [client.inports.register(f"in_{n + 1}") for n in range(CHANNELS)]
    played = noise(seed)
    at, heard_ns = 0, 0

    def process(frames: int) -> None:
        nonlocal at, heard_ns
        place = (at + np.arange(frames)) % NOISE_FRAMES
        for port in outputs:
            port.get_array()[:] = played[place]
        at += frames
        if not heard_ns and max(np.abs(port.get_array()).max() for port in inputs) > AUDIBLE:
            heard_ns = time.monotonic_ns()

    client.set_process_callback(process)
    with client:
        while not select.select([sys.stdin], [], [], CONNECT_S)[0] and not heard_ns:
            for source, target in list(wanted.items()):
                try:
                    client.connect(source, target)
                except jack.JackError:
                    continue  # It is not there yet.
                del wanted[source]
        if heard_ns:
            sys.stdout.write(f"{heard_ns}\n")
            sys.stdout.flush()
        sys.stdin.read()


def _open() -> Any:
    """A JACK client; a server that is just taking others in may refuse one.

    Then this program begins anew: libjack does not work in one in which it failed.
    """
    import jack

    try:
        return jack.Client("ear", no_start_server=True)
    except jack.JackOpenError:
        tries = int(os.environ.get(TRIES, "0"))
        if tries >= MOST_TRIES:
            raise
        time.sleep(OPEN_AGAIN_S)
        os.environ[TRIES] = str(tries + 1)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


class FirstSound(OwnedProcess):
    """Runs the program on a JACK server; a context manager."""

    def __init__(self, env: Mapping[str, str], seed: int) -> None:
        self.heard_s: float | None = None
        """When it heard something, by time.monotonic."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.first_sound", str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(env),
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.heard_s = int(line) / 1e9

    def _end(self) -> None:
        self._let_end()
        self._reader.join()
        super()._end()


if __name__ == "__main__":
    main(int(sys.argv[1]))
