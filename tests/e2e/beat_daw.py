"""A program on JACK that clicks on each beat of the MIDI clock, and writes down what it hears.

`python -m tests.e2e.beat_daw FILE CLOCK SEND RECEIVE`: the click begins in the very frame in which
a beat's tick comes, and its loudness tells the beats of four bars apart. When its standard input
ends it writes FILE (numpy: `beats`, rows of frame and number, `heard`, and `lost`: rows of the
frame at which JACK's own went on without us, or it had an xrun, and by how many) and goes.
"""

import gc
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from midipool_demo.background import child_environment
from tests.e2e.owned_process import OwnedProcess

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
TICKS_A_BEAT = 24
BEATS = 16
CLICK_FRAMES = 48
MOST_FRAMES = 48_000 * 60
START, CLOCK = 0xFA, 0xF8


def click(beat: int) -> Floats:
    """How a beat sounds."""
    shape = np.sin(np.pi * (np.arange(CLICK_FRAMES) + 0.5) / CLICK_FRAMES) ** 2
    return np.asarray(shape * _loudness(beat % BEATS), np.float32)


def _loudness(number: int) -> float:
    return 0.2 + 0.04 * number


def beat_of(loudness: float) -> int:
    """Which of 16 beats a click of that loudness is of."""
    return round((loudness - 0.2) / 0.04)


def clicks_near(heard: Floats, frame: int, within: int) -> tuple[float, int] | None:
    """(frames after `frame`, beat) of the click that was heard there; None without one."""
    part = heard[frame - within : frame + within].astype(float)
    if part.size == 0 or part.max() < 0.1:
        return None
    peak = int(part.argmax())
    around = part[max(peak - CLICK_FRAMES, 0) : peak + CLICK_FRAMES]
    weight = np.where(around > 0.02, around, 0.0)
    middle = max(peak - CLICK_FRAMES, 0) + float(
        (weight * np.arange(len(weight))).sum() / weight.sum()
    )
    return middle - (CLICK_FRAMES - 1) / 2 - within, beat_of(float(part.max()))


class Beats:
    """Finds the beats in MIDI clock, as it comes."""

    def __init__(self) -> None:
        self._tick = -1

    def in_cycle(self, port: Any) -> list[tuple[int, int]]:
        """(frame of this cycle, beat) of each."""
        found = []
        for offset, data in port.incoming_midi_events():
            status = data[0][0] if data[0] else 0
            if status == START:
                self._tick = 0
            elif status == CLOCK and self._tick >= 0:
                if self._tick % TICKS_A_BEAT == 0:
                    found.append((offset, self._tick // TICKS_A_BEAT))
                self._tick += 1
        return found


def sticks() -> Any:
    """A client that clicks. It is one of its own: in a loop JACK would delay something."""
    import jack

    client = jack.Client("sticks", no_start_server=True)
    ticks, output = client.midi_inports.register("clock"), client.outports.register("out")
    beats, coming = Beats(), np.zeros(1 << 14, np.float32)

    def process(frames: int) -> None:
        nonlocal coming
        for offset, beat in beats.in_cycle(ticks):
            coming[offset : offset + CLICK_FRAMES] += click(beat)
        output.get_array()[:] = coming[:frames]
        coming = np.concatenate((coming[frames:], np.zeros(frames, np.float32)))

    client.set_process_callback(process)
    return client


def main(file: str, clock: str, send: str, receive: str) -> None:
    import jack

    client = jack.Client("ears", no_start_server=True)
    ticks, recorder = client.midi_inports.register("clock"), client.inports.register("in")
    heard = np.empty(MOST_FRAMES, np.float32)
    heard.fill(0)  # now, so that no page is new to the callback
    beats, when, lost = Beats(), list[tuple[int, int]](), list[tuple[int, int]]()
    at, ahead = 0, -1

    def process(frames: int) -> None:
        nonlocal at, ahead
        before, ahead = ahead, client.last_frame_time - at
        if before not in (-1, ahead):
            lost.append((at, ahead - before))
        when.extend((at + offset, beat) for offset, beat in beats.in_cycle(ticks))
        if at + frames <= MOST_FRAMES:
            heard[at : at + frames] = recorder.get_array()
        at += frames

    client.set_process_callback(process)
    client.set_xrun_callback(lambda late_us: lost.append((at, 0)))
    gc.disable()  # it may take longer than a cycle
    with client, sticks() as playing:
        playing.connect(clock, "sticks:clock")
        playing.connect("sticks:out", send)
        client.connect(clock, ticks)
        client.connect(receive, recorder)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()
    np.savez(file, beats=_rows(when), heard=heard[:at], lost=_rows(lost))


def _rows(pairs: list[tuple[int, int]]) -> Ints:
    return np.array(pairs, np.int64).reshape(-1, 2)


class Written(NamedTuple):
    """What the program wrote down."""

    beats: Ints
    """Rows of frame and number."""
    heard: Floats
    lost: Ints
    """Rows of frame and how many: none for a mere xrun."""

    def disturbed(self, within: int) -> set[int]:
        """Beats that JACK lost frames near to."""
        return {int(b) for f, b in self.beats if (abs(self.lost[:, 0] - f) <= within).any()}

    @property
    def most_lost(self) -> int:
        """How many frames JACK lost at once, at most."""
        return int(abs(self.lost[:, 1]).max(initial=0))


class BeatDaw(OwnedProcess):
    """Runs the program on a JACK server; a context manager."""

    def __init__(self, env: Mapping[str, str], file: Path, *ports: str) -> None:
        self._file = file
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.beat_daw", str(file), *ports],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(env),
            text=True,
            start_new_session=True,
        )
        self._wait_ready("the program that clicks does not start")

    def end(self) -> Written:
        """Stop it; what it wrote down."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        with np.load(self._file) as written:
            return Written(written["beats"], written["heard"], written["lost"])


if __name__ == "__main__":
    main(*sys.argv[1:])
