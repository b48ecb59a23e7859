"""Lets each member with audio on a JACK server play its own pitch; says which of all it hears.

`python -m tests.soak.ears PITCHES NAME...`, NAMEs are the members of this server, PITCHES all
pitches as NAME=HZ with commas. Two JSON lines a second: {"at_us", "levels": {name: {name: dB}}}.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from midipool_demo.line_program import LineProgram
from tests.bench.sound_probe import RATE

EVERY_S, CONNECT_EVERY = 0.5, 2
WINDOW_FRAMES = 8_192
PEAK = 0.2
SILENCE_DB = -120.0
STANDS_OUT = 6.0


def pitch(number: int) -> float:
    """Of a member: whole periods in a window, and none a multiple of another's."""
    return (61 + 97 * number) * RATE / WINDOW_FRAMES


def device(name: str) -> str:
    """What a member's JACK clients are called."""
    return f"mp-{name}"


def levels(frames: "np.typing.NDArray[np.float32]", hz: Mapping[str, float]) -> dict[str, float]:
    """How loud each pitch is, in dB below that of a member at full volume.

    What stands not out of its neighbourhood is no pitch: a sound that begins, or has gaps, is
    everywhere a little.
    """
    window = np.hanning(len(frames))
    spectrum = np.abs(np.fft.rfft(frames * window)) / (window.sum() / 2) / PEAK
    found = {}
    for name, at_hz in hz.items():
        place = round(at_hz * len(frames) / RATE)
        loud = float(spectrum[place - 1 : place + 2].max())
        below, above = spectrum[place - 24 : place - 4], spectrum[place + 5 : place + 25]
        stands_out = loud > STANDS_OUT * float(np.median((*below, *above)))
        found[name] = round(20 * np.log10(loud), 1) if stands_out and loud > 1e-6 else SILENCE_DB
    return found


def main(pitches: str, names: list[str]) -> None:
    import jack

    hz = {name: float(value) for name, value in (p.split("=") for p in pitches.split(","))}
    client = jack.Client(f"ears-{os.getpid()}", no_start_server=True)
    outputs = {name: client.outports.register(f"out_{name}") for name in names}
    inputs = {name: client.inports.register(f"in_{name}") for name in names}
    steps = 2 * np.pi * np.array([hz[name] for name in names]) / RATE
    heard = np.zeros((len(names), WINDOW_FRAMES), np.float32)
    at = 0

    def process(frames: int) -> None:
        nonlocal at
        time_frames = at + np.arange(frames)
        for row, name in enumerate(names):
            outputs[name].get_array()[:] = PEAK * np.sin(steps[row] * time_frames)
            heard[row] = np.concatenate((heard[row, frames:], inputs[name].get_array()))
        at += frames

    def connect() -> None:
        for name in names:
            for source, sink in (
                (outputs[name].name, f"{device(name)}-audio:audio_send_1"),
                (f"{device(name)}-audio:audio_receive_1", inputs[name].name),
            ):
                with contextlib.suppress(jack.JackError):
                    if not client.get_all_connections(
                        outputs[name] if source == outputs[name].name else inputs[name]
                    ):
                        client.connect(source, sink)

    jack.set_error_function(lambda text: None)
    client.set_process_callback(process)
    turn = 0
    with client:
        while True:
            if turn % CONNECT_EVERY == 0:
                connect()
            turn += 1
            said = {name: levels(heard[row].copy(), hz) for row, name in enumerate(names)}
            line = {"at_us": time.monotonic_ns() // 1000, "levels": said}
            try:
                print(json.dumps(line), flush=True)  # noqa: T201
            except BrokenPipeError:
                return
            time.sleep(EVERY_S)


class Ears(LineProgram):
    """Runs the program; a context manager."""

    def __init__(self, env: Mapping[str, str], names: list[str], pitches: dict[str, float]) -> None:
        self._looks: list[tuple[int, str, dict[str, float]]] = []
        said = ",".join(f"{name}={hz}" for name, hz in pitches.items())
        super().__init__(env, "tests.soak.ears", said, *names)

    def _take(self, line: dict[str, Any]) -> None:
        for name, found in line["levels"].items():
            self._looks.append((line["at_us"], name, found))

    def heard(self) -> list[tuple[int, str, dict[str, float]]]:
        """(when, who, how loud it hears whom) since the last call."""
        with self._lock:
            looks, self._looks = self._looks, []
        return looks


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
