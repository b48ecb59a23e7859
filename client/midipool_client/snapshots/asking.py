"""Asking a server for its room as a document, and handing it one."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from midipool.errors import Refused, Unavailable
from midipool.messages import (
    MOST_PIECES,
    PIECE_BYTES,
    Error,
    LoadRoom,
    Ok,
    RoomSaved,
    SaveRoom,
    ServerMessage,
)
from midipool_client.remote import Remote
from midipool_client.room_url import RoomUrl

SAVE_S = 15.0

M = TypeVar("M")


async def save_room(url: RoomUrl, acting_as: str | None = None) -> bytes:
    """The room as JSON; raises MidiPoolError."""
    async with Remote(url, acting_as, ("snapshots",)) as remote:
        _check_server(remote)
        await remote.send(SaveRoom(id=1))
        try:
            async with asyncio.timeout(SAVE_S):
                return await _gathered(remote.heard())
        except TimeoutError:
            raise Unavailable(f"{url} did not answer within {SAVE_S:g} s") from None


async def load_room(url: RoomUrl, data: bytes, acting_as: str | None = None) -> Ok:
    """Let the room become what a document says, or stay as it is; raises MidiPoolError."""
    async with Remote(url, acting_as, ("snapshots",)) as remote:
        _check_server(remote)
        *first, last = pieces_of(data)
        for piece in first:
            await remote.send(piece)
        return await remote.ask(last)


def pieces_of(data: bytes) -> list[LoadRoom]:
    """A document in messages."""
    pieces = [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)]
    return [
        LoadRoom(1, piece, left) for left, piece in zip(_down(len(pieces)), pieces, strict=True)
    ]


def _down(count: int) -> range:
    return range(count - 1, -1, -1)


async def _gathered(heard: AsyncIterator[ServerMessage]) -> bytes:
    data, count = b"", 0
    async for message in heard:
        if isinstance(message, Error):
            raise Refused(message.code, message.message, message.field)
        if isinstance(message, RoomSaved):
            data, count = data + message.data, count + 1
            if message.left == 0 or count > MOST_PIECES:
                return data
    raise AssertionError("it ends by an error")


def _check_server(remote: Remote) -> None:
    if remote.welcome is None or "snapshots" not in remote.welcome.capabilities:
        text = f"the server of {remote.url} is older than saving and loading rooms: update it"
        raise Unavailable(text)
