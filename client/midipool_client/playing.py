"""Runs a member, and what it is made of, until one of several things ends it."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from midipool.errors import MidiPoolError


class Member(Protocol):
    """Somebody in a room."""

    async def run(self) -> None:
        """Until cancelled."""


async def play(player: Member, until: asyncio.Event) -> None:
    """Run a member until `until` is set or it fails."""
    playing = asyncio.create_task(player.run())
    stopping = asyncio.create_task(until.wait())
    try:
        await asyncio.wait([playing, stopping], return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            playing.result()
    finally:
        playing.cancel()
        stopping.cancel()
        with contextlib.suppress(asyncio.CancelledError, MidiPoolError):
            await playing


async def until_one_ends(parts: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all parts until one of them ends, and raise what that failed with."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            _raise_of(task)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _raise_of(task: "asyncio.Task[None]") -> None:
    """Raise what a part failed with, by itself when it was the only one of its group."""
    try:
        task.result()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
