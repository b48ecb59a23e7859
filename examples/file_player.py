"""Plays a sound file into a room, from the next bar on: python file_player.py URL FILE"""

import asyncio
import sys

import numpy as np
import soundfile

from midipool_client import Module


def loaded(path: str, rate: int) -> np.ndarray:
    """A file's first two channels, at a rate."""
    sound, own_rate = soundfile.read(path, dtype="float32", always_2d=True)
    own = np.arange(len(sound)) / own_rate
    wanted = np.arange(int(len(sound) / own_rate * rate)) / rate
    return np.stack([np.interp(wanted, own, channel) for channel in sound.T[:2]], axis=1)


async def next_bar_us(module: Module) -> int:
    """When the room's next bar begins; half a second from now at least."""
    while True:
        from_us = module.room_us + 500_000
        lines = module.grid(from_us, from_us + 60_000_000, module.meter.bar_beats / 1e6)
        if line := next(lines, None):
            return line.time_us
        await asyncio.sleep(0.05)


async def play(url: str, path: str) -> None:
    """Until the file is over."""
    async with Module(url, "player", audio_in=0, audio_out=2) as module:
        sound = await asyncio.to_thread(loaded, path, module.rate)
        await module.write(sound, at_us=await next_bar_us(module))
        await asyncio.sleep(1.0)  # what is written last is still to be played


if __name__ == "__main__":
    asyncio.run(play(sys.argv[1], sys.argv[2]))
