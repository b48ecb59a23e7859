"""A program on JACK that plays known sounds, records, and notes when each of its cycles was.

It is in C (sound_probe.c), and knows nothing of midiPool but how libjack is found: what it says of
a sound is said by JACK's ports and CLOCK_MONOTONIC alone.
"""

import functools
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midipool_demo.background import child_environment
from midipool_demo.frame_times import FrameTimes, Ints
from tests.e2e.owned_process import OwnedProcess
from tests.e2e.sound_daw import Floats

ROOT = Path(__file__).resolve().parents[2]
RATE = 48_000
NOISE_FRAMES = 1 << 18
"""5.5 s: what is later is heard as late as what is so much less late."""
CUT_HZ = 4_000
TONE_HZ = 997
NOISE_PEAK, TONE_PEAK = 0.25, 0.5
APART_CYCLES = 1_000
STEPS_S, STEP_FRAMES = 1.7, RATE // 2
Sound = str
"""`tone`, `steps`, or `noise` and a number: `noise3`."""


@functools.cache
def sound(name: Sound) -> Floats:
    """What is played again and again: a tone of 997 Hz, the same in pieces, or noise."""
    if name == "tone":
        phase = 2 * np.pi * TONE_HZ / RATE * np.arange(RATE)
        return np.asarray(TONE_PEAK * np.sin(phase), np.float32)
    if name == "steps":
        silence = np.zeros(round(STEPS_S * RATE) - STEP_FRAMES, np.float32)
        return np.concatenate((sound("tone")[:STEP_FRAMES], silence))
    seed = int(name.removeprefix("noise"))
    spectrum = np.fft.rfft(np.random.default_rng(seed).uniform(-1, 1, NOISE_FRAMES))
    spectrum[CUT_HZ * NOISE_FRAMES // RATE :] = 0
    made = np.fft.irfft(spectrum, NOISE_FRAMES)
    return np.asarray(made * (NOISE_PEAK / np.abs(made).max()), np.float32)


@dataclass(frozen=True)
class Plan:
    """What one of these programs does."""

    name: str
    seconds: float
    """It records so long at most; it plays until its end."""
    file: str
    plays: tuple[tuple[Sound, str], ...] = ()
    """A sound, and the port that it goes to."""
    hears: tuple[str, ...] = ()
    """The ports that are recorded."""


@dataclass(frozen=True)
class Record:
    """What one of them wrote down. Its own frames count from 0 without a gap."""

    heard: Floats
    """Frames x ports."""
    cycles: Ints
    """(own frame, JACK's frame, CLOCK_MONOTONIC in ns) of each cycle's begin."""
    xruns_ns: Ints

    @functools.cached_property
    def times(self) -> FrameTimes:
        """When JACK's frames were. Its rate is measured: a sound card's is off."""
        frames, ns = self.cycles[:, 1], self.cycles[:, 2]
        apart = min(APART_CYCLES, len(frames) - 1)
        rates = (frames[apart:] - frames[:-apart]) / (ns[apart:] - ns[:-apart])
        cycles = [(int(frame), int(at_ns)) for frame, at_ns in zip(frames, ns, strict=True)]
        return FrameTimes.fit(cycles, float(np.median(rates)) * 1e9)

    def jack_frames(self, own: Ints) -> Ints:
        """JACK's frames of own ones."""
        at = np.searchsorted(self.cycles[:, 0], own, side="right") - 1
        begin = self.cycles[np.clip(at, 0, None)]
        return np.asarray(begin[:, 1] + own - begin[:, 0], np.int64)


class SoundProbe(OwnedProcess):
    """Runs the program with JACK's `env`; a context manager."""

    def __init__(self, env: Mapping[str, str], plan: Plan) -> None:
        self._file = Path(plan.file)
        self._process = subprocess.Popen(
            [_program(), *_arguments(plan)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(env),
            text=True,
            start_new_session=True,
        )
        self._wait_ready(f"no sound from or to {plan}")

    def end(self) -> Record:
        """Stop it; what it wrote down."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._process.wait(60) != 0:
            raise RuntimeError("the sound program failed")
        with self._file.open("rb") as wrote:
            frames, ports, cycles, xruns = np.fromfile(wrote, np.int64, 4)
            return Record(
                cycles=np.fromfile(wrote, np.int64, 3 * cycles).reshape(cycles, 3),
                xruns_ns=np.fromfile(wrote, np.int64, xruns),
                heard=np.fromfile(wrote, np.float32, frames * ports).reshape(frames, ports),
            )


@functools.cache
def _program() -> Path:
    program = ROOT / "native" / "build" / "sound_probe"
    program.parent.mkdir(exist_ok=True)
    ours = [ROOT / "native" / "src" / name for name in ("jack_api.c", "host_clock.c")]
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{ours[0].parent}"]
    sources = [Path(__file__).with_suffix(".c"), *ours]
    subprocess.run(["gcc", *flags, "-o", program, *sources, "-ldl", "-lpthread"], check=True)
    return program


def _arguments(plan: Plan) -> list[str]:
    """As sound_probe.c takes them; sounds are written beside the record."""
    plays: list[str] = []
    for name, port in plan.plays:
        file = Path(f"{plan.file}.{name}")
        sound(name).tofile(file)
        plays += [str(file), port]
    return [plan.name, f"{plan.seconds}", plan.file, f"{len(plan.plays)}", *plays, *plan.hears]
