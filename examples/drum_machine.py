"""A drum machine that plays in time with a room: python drum_machine.py ws://HOST:PORT/ROOM"""

import asyncio
import sys

import numpy as np

from midipool_client import Module

RATE = 48_000
# What sounds on each sixteenth of a bar of four beats.
KICK, SNARE, HAT = "x.....x.x.......", "....x.......x..x", "x.x.x.x.x.x.x.x."


def tones(frames: int, begin_hz: float, end_hz: float, decay_s: float) -> np.ndarray:
    """A tone that glides and dies away."""
    seconds = np.arange(frames) / RATE
    phase = np.cumsum(np.geomspace(begin_hz, end_hz, frames)) / RATE
    return np.cos(2 * np.pi * phase) * np.exp(-seconds / decay_s)


def noise(frames: int, decay_s: float) -> np.ndarray:
    """A burst."""
    random = np.random.default_rng(1)
    return random.uniform(-1, 1, frames) * np.exp(-np.arange(frames) / RATE / decay_s)


SOUNDS = {
    KICK: 0.6 * tones(9_600, 160, 45, 0.05),
    SNARE: 0.3 * noise(7_200, 0.03) + 0.2 * tones(7_200, 220, 180, 0.04),
    HAT: 0.15 * noise(2_400, 0.008),
}


async def play(url: str) -> None:
    """Until the room or the shell ends it."""
    async with Module(url, "drums", audio_in=0, audio_out=1) as module:
        tail = np.zeros(0)
        async for block in module:
            sound = np.zeros(max(len(tail), len(block) + 9_600))
            sound[: len(tail)] = tail
            for frame, beats in block.grid(1 / 4):
                step = round(beats * 4) % 16
                for pattern, hit in SOUNDS.items():
                    if pattern[step] == "x":
                        sound[frame : frame + len(hit)] += hit
            await module.write(sound[: len(block)])
            tail = sound[len(block) :]


if __name__ == "__main__":
    asyncio.run(play(sys.argv[1]))
