"""The room as a file of the page's browser: written as YAML, and read from YAML."""

import asyncio
from collections.abc import Mapping

import msgspec
from aiohttp import web

from midipool.errors import InvalidValue, MidiPoolError
from midipool.snapshot import MAX_BYTES
from midipool_client.page.host import PageHost
from midipool_client.page.messages import Refused
from midipool_client.snapshots.asking import load_room, save_room
from midipool_client.snapshots.room_file import read_file, text_of

YAML = "application/yaml"


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """The room is what the file says."""

    notes: list[str]
    """What of it midiPool does not know, with lines and columns."""


async def saved(host: PageHost, headers: Mapping[str, str]) -> web.Response:
    """The room that the client is in."""
    try:
        player = host.player
        text = await asyncio.to_thread(text_of, await save_room(player.url, player.name))
    except MidiPoolError as error:
        return _answer(Refused(str(error)), 409)
    # A room's name has nothing in it that a header could not hold.
    name = f'attachment; filename="{player.room_name}.yaml"'
    return web.Response(
        text=text, content_type=YAML, headers={**headers, "Content-Disposition": name}
    )


async def loaded(host: PageHost, request: web.Request) -> web.Response:
    """The room becomes what the request's body says, or stays as it is."""
    if request.content_type != YAML:
        return _answer(Refused(f"send the room's file as {YAML}"), 415)
    content = await _body(request)
    try:
        player = host.player
        # In a thread: the clock must not wait for a long file.
        file = await asyncio.to_thread(read_file, content, "the file")
    except InvalidValue as error:
        return _answer(Refused(str(error)), 400)
    except MidiPoolError as error:
        return _answer(Refused(str(error)), 409)
    try:
        await load_room(player.url, file.data, player.name)
    except MidiPoolError as error:
        return _answer(Refused(str(file.refused(error))), 409)
    return _answer(Loaded(file.notes), 200)


async def _body(request: web.Request) -> bytes:
    """What came; one byte more than a file may have is enough to refuse it."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            break
    return bytes(body)


def _answer(message: msgspec.Struct, status: int) -> web.Response:
    body = msgspec.json.encode(message)
    return web.Response(body=body, status=status, content_type="application/json")
