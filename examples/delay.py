"""An echo of all that a room plays, in its tempo: python delay.py ws://HOST:PORT/ROOM [BEATS]"""

import asyncio
import sys

import numpy as np

from midipool_client import Module

FEEDBACK, LONGEST_S = 0.5, 4.0


class Echo:
    """A line of what was heard, and of its echoes."""

    def __init__(self, rate: int) -> None:
        self.line = np.zeros((round(rate * LONGEST_S), 2), np.float32)
        self.at = 0

    def answer(self, heard: np.ndarray, delay: int, sooner: int) -> np.ndarray:
        """Each echo `delay` frames behind the one before; all is handed out `sooner`."""
        places = np.arange(self.at, self.at + len(heard)) % len(self.line)
        self.line[places] = heard + FEEDBACK * self.line[places - delay]
        self.at += len(heard)
        return self.line[places - delay + sooner]


async def play(url: str, beats: float) -> None:
    """Until the room or the shell ends it."""
    async with Module(url, "delay") as module:
        echo = Echo(module.rate)
        async for block in module:
            delay = round(beats * 60 / module.tempo * module.rate)
            delay = max(min(delay, len(echo.line) - len(block)), module.latency_frames)
            # The answer to a block sounds later by itself.
            await module.write(echo.answer(block.frames, delay, module.latency_frames))


if __name__ == "__main__":
    asyncio.run(play(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.75))
