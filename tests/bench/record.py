"""What recording costs the processor, and what a disk that stalls costs the recording.

Taps are filled in real time as a callback would; the writer and its files are the real ones. The
figure is the processor time of the writing thread: filling a tap is a copy in the callback.
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np

from midipool.clock_map import ClockMap
from midipool_client.recording.track_file import Format, open_sound
from midipool_client.recording.writer import Writer

RATE, PERIOD = 48_000, 128
BLOCK = 8 * PERIOD
STALL_S = 2.0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tracks", type=int, default=12)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)


class Stalling:
    """A file whose disk stalls once, for all files together."""

    def __init__(self, file: Any, until_s: list[float]) -> None:
        self._file, self._until_s = file, until_s

    def buffer_write(self, frames: memoryview, dtype: str) -> None:
        time.sleep(max(self._until_s[0] - time.monotonic(), 0.0))
        self._file.buffer_write(frames, dtype=dtype)

    def close(self) -> None:
        self._file.close()


def run(options: argparse.Namespace) -> dict[str, Any]:
    kinds: tuple[Literal["flac", "wav"], ...] = ("flac", "wav")
    return {
        "tracks": options.tracks,
        "channels": options.channels,
        "stall_s": STALL_S,
        "formats": {kind: _record(kind, options) for kind in kinds},
    }


def _record(format: Format, options: argparse.Namespace) -> dict[str, Any]:
    until_s = [0.0]

    def opened(path: Path, rate: int, channels: int, format: Format) -> Stalling:
        return Stalling(open_sound(path, rate, channels, format), until_s)

    with tempfile.TemporaryDirectory() as folder:
        began_ns = time.monotonic_ns()
        clock = ClockMap(0, 0), began_ns
        writer = Writer(Path(folder), format, RATE, 1 << 40, clock, opened)
        taps = [writer.add(f"p{n}", "player", options.channels) for n in range(options.tracks)]
        sounds = [_music(n, options.channels) for n in range(options.tracks)]
        thread = next(t for t in threading.enumerate() if t.name == "recording")
        assert thread.ident is not None
        cpu = time.pthread_getcpuclockid(thread.ident)
        blocks = round(options.seconds * RATE / BLOCK)
        for number in range(blocks):
            at_ns = began_ns + number * BLOCK * 1_000_000_000 // RATE
            time.sleep(max(at_ns - time.monotonic_ns(), 0) * 1e-9)
            for tap, sound in zip(taps, sounds, strict=True):
                tap.write(sound[number % len(sound)], at_ns)
            if number == blocks // 2:
                until_s[0] = time.monotonic() + STALL_S
        time.sleep(0.5)
        used_s = time.clock_gettime(cpu)
        writer.end()
        writer.wait(30)
        tracks = writer.tracks()
        return {
            "core_percent": round(100 * used_s / options.seconds, 2),
            "dropped_frames": sum(t.dropped_frames for t in tracks),
            "missing_frames": sum(max(blocks * BLOCK - t.frames - 64, 0) for t in tracks),
            "megabytes_a_minute": round(
                sum(p.stat().st_size for p in Path(folder).iterdir()) / options.seconds * 60e-6, 1
            ),
        }


def _music(seed: int, channels: int) -> list[bytes]:
    """Ten seconds of chords with some noise, so that FLAC has work to do."""
    rng = np.random.default_rng(seed)
    at = np.arange(10 * RATE) / RATE
    sound = sum(0.1 * np.sin(2 * np.pi * f * at) for f in rng.uniform(80, 2000, 5))
    sound = sound + rng.normal(0, 0.01, len(at))
    frames = np.repeat(np.asarray(sound, np.float32)[:, None], channels, axis=1)
    return [frames[n : n + BLOCK].tobytes() for n in range(0, len(frames) - BLOCK, BLOCK)]


def plot(result: dict[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    formats = result["formats"]
    axes.bar(list(formats), [formats[kind]["core_percent"] for kind in formats])
    axes.axhline(5, color="grey", linestyle="--")
    axes.set_ylabel("% of a core")
    axes.set_title(f"recording {result['tracks']} tracks")
    figure.savefig(path)
