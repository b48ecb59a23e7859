"""Writes down how loud each bar of a room was: python level_logger.py ws://HOST:PORT/ROOM"""

import asyncio
import sys

import numpy as np

from midipool_client import Module


def decibels(level: float) -> str:
    """Of full scale."""
    return f"{20 * np.log10(level):.1f} dB" if level > 1e-5 else "silence"


async def log(url: str) -> None:
    """Until the room or the shell ends it."""
    async with Module(url, "levels", audio_in=2, audio_out=0) as module:
        bar, peak, squares, count = 0, 0.0, 0.0, 0
        async for block in module:
            number, _ = module.position
            if number != bar and count:
                rms = float(np.sqrt(squares / count))
                print(f"bar {bar}: peak {decibels(peak)}, rms {decibels(rms)}", flush=True)
                peak, squares, count = 0.0, 0.0, 0
            bar = number
            peak = max(peak, float(np.abs(block.frames).max()))
            squares += float(np.square(block.frames, dtype=np.float64).sum())
            count += block.frames.size


if __name__ == "__main__":
    asyncio.run(log(sys.argv[1]))
