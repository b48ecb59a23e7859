"""A program on JACK that plays known noise and writes down what it hears.

`python -m tests.e2e.sound_daw NAME SEED FILE SENDS PORT...`: each output `NAME:out_N` has noise of
its own and goes to one of the ports SENDS (with a comma between them); each PORT is recorded into
an input. When its standard input ends it writes FILE (numpy arrays: what was recorded, frames x
ports, and when it began on CLOCK_MONOTONIC) and goes; with a number there, when it has recorded so
many seconds more.
"""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from midipool_demo.background import child_environment
from tests.e2e.owned_process import OwnedProcess

Floats = npt.NDArray[np.float32]
NOISE_FRAMES = 48_000
CUT_HZ = 4_000
PIECE_FRAMES = 2_048
OUTPUTS = 2
SENDS = ("midiPool-audio:audio_send_1", "midiPool-audio:audio_send_2")
MOST_FRAMES = 48_000 * 60


def noise(seed: int, rate: int = NOISE_FRAMES) -> Floats:
    """A second of noise below 4 kHz at a quarter of full scale; each number gives another one.

    It is the same sound at every rate.
    """
    spectrum = np.fft.rfft(np.random.default_rng(seed).uniform(-1, 1, NOISE_FRAMES))[:CUT_HZ]
    made = np.fft.irfft(spectrum, rate)
    return np.asarray(made * (0.25 / np.abs(made).max()), dtype=np.float32)


def correlations(recorded: Floats, played: Floats) -> Floats:
    """How alike each piece of a recording is to the noise, at the lag where it is so most.

    Pieces are short, because what was resampled shifts a little.
    """
    frames = len(played)
    spectrum = np.conj(np.fft.rfft(played))
    around = np.concatenate((played, played[:PIECE_FRAMES]))
    found = []
    for begin in range(0, len(recorded) - PIECE_FRAMES + 1, PIECE_FRAMES):
        piece = recorded[begin : begin + PIECE_FRAMES]
        products = np.fft.irfft(np.fft.rfft(piece, frames) * spectrum, frames)
        at = -int(np.argmax(products)) % frames
        norm = np.linalg.norm(piece) * np.linalg.norm(around[at : at + PIECE_FRAMES])
        found.append(float(products.max()) / (float(norm) or 1.0))
    return np.array(found, np.float32)


def main(name: str, seed: int, file: str, sends: str, ports: list[str]) -> None:
    import jack

    client = jack.Client(name, no_start_server=True)
    outputs = [client.outports.register(f"out_{n + 1}") for n in range(OUTPUTS)]
    inputs = [client.inports.register(f"in_{n + 1}") for n in range(len(ports))]
    played = [noise(seed + n, client.samplerate) for n in range(OUTPUTS)]
    recorded = np.zeros((MOST_FRAMES, len(ports)), np.float32)
    at, began_s = 0, float("inf")

    def process(frames: int) -> None:
        nonlocal at, began_s
        # A cycle may be late, and is never early.
        began_s = min(began_s, time.monotonic() - at / client.samplerate)
        place = (at + np.arange(frames)) % client.samplerate
        for port, samples in zip(outputs, played, strict=True):
            port.get_array()[:] = samples[place]
        if at + frames <= MOST_FRAMES:
            for index, port in enumerate(inputs):
                recorded[at : at + frames, index] = port.get_array()
        at += frames

    client.set_process_callback(process)
    with client:
        for source, port in zip(ports, inputs, strict=True):
            client.connect(source, port)
        for number, port in enumerate(outputs):
            client.connect(port, sends.split(",")[number])
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        more = round(float(sys.stdin.readline() or 0) * client.samplerate)
        until = at + more  # as it is now: the line was waited for
        while at < until:
            time.sleep(0.01)
    with Path(file).open("wb") as out:
        np.savez(out, recorded=recorded[: min(at, MOST_FRAMES)], began_s=began_s)


class SoundDaw(OwnedProcess):
    """Runs the program on a JACK server; a context manager."""

    def __init__(
        self,
        env: Mapping[str, str],
        seed: int,
        file: Path,
        *ports: str,
        sends: tuple[str, ...] = SENDS,
    ) -> None:
        self._file = file
        self.began_s = 0.0
        """When its first frame was, once it has ended; by time.monotonic."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, "daw", str(seed), str(file), ",".join(sends), *ports],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(env),
            text=True,
            start_new_session=True,
        )
        self._wait_ready("the sound program does not start")

    def end(self, seconds: float = 0.0) -> Floats:
        """Stop it, after it recorded so much more; what it recorded."""
        assert self._process.stdin is not None
        with self._process.stdin as stdin:
            stdin.write(f"{seconds}\n")
        self._process.wait(20)
        with np.load(self._file) as made:
            self.began_s = float(made["began_s"])
            recorded: Floats = made["recorded"]
        return recorded


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:])
