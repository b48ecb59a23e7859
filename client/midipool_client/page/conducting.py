"""What a page has from its room: asked for, answered, and told."""

import asyncio
import logging

import msgspec

from midipool.errors import MidiPoolError
from midipool.messages import Error, Ok, Revoke
from midipool_client.page.messages import Done, Refused, RoomRequest
from midipool_client.page.view import RoomDescription
from midipool_client.player import Player
from midipool_client.remote import room_status
from midipool_client.room_url import RoomUrl

log = logging.getLogger(__name__)

# A vote takes up to 10 s.
ANSWER_S = 15.0


async def conducted(player: Player, request: RoomRequest) -> Done | Refused:
    """Ask the room as a DAW would; its answer."""
    answered: asyncio.Future[Ok | Error | None] = asyncio.get_running_loop().create_future()

    def answer(said: Ok | Error | None) -> None:
        if not answered.done():
            answered.set_result(said)

    player.conduct(request, answer)
    try:
        async with asyncio.timeout(ANSWER_S):
            said = await answered
    except TimeoutError:
        return Refused(f"the server does not answer within {ANSWER_S:g} s", request.id)
    if isinstance(said, Error):
        return Refused(said.message, request.id, said.field)
    if said is None:
        return Refused("the server is away: try again when it is back", request.id)
    if isinstance(request, Revoke):
        player.access.taken_back(request.invitation)
    return Done(request.id)


async def room_as_told(url: RoomUrl) -> RoomDescription | None:
    """What only the server knows of a room; None where it does not tell."""
    try:
        return msgspec.convert(await room_status(url), RoomDescription)
    except (MidiPoolError, msgspec.ValidationError) as error:
        log.debug("the room's description cannot be had: %s", error)
        return None
