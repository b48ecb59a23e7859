"""What is changed of a room by HTTP: JSON at /api/rooms/NAME/WHAT, to be read and changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import msgspec
from aiohttp import web

from midipool import messages
from midipool.errors import InvalidMessage, InvalidValue, Refused
from midipool.graph.words import graph_shown
from midipool.messages import GraphEdit, ModuleCommand
from midipool_server.host import RoomHost
from midipool_server.outgoing import Outgoing, refusal
from midipool_server.room import Room

NO_ROOM = "there is no such room: a room exists while somebody is in it"
PRIVATE = "this room is for its members alone: send a member's token (Authorization: Bearer)"
MAX_BYTES = 16 * 1024
STATUSES = {
    **dict.fromkeys(("no_such_node", "no_such_module", "no_such_program"), 404),
    **{"bad_value": 400, "too_fast": 429, "not_host": 403},
}


@dataclass(frozen=True, slots=True)
class Edited:
    """A part of a room, and the protocol's messages that change it."""

    what: str
    edits: tuple[type[messages.Message], ...]
    shown: Callable[[Room, int], object]
    """Takes the room time."""
    change: Callable[[Room, int, str | None, Any], list[Outgoing]]
    """For a member, or for nobody; raises Refused, InvalidValue."""


GRAPH = Edited(
    "graph",
    get_args(GraphEdit),
    lambda room, now_us: graph_shown(room.floor.graph),
    lambda room, now_us, actor, edit: room.routing.change(now_us, actor, edit),
)
MODULES = Edited(
    "modules",
    get_args(ModuleCommand),
    lambda room, now_us: room.modules.whole(now_us),
    lambda room, now_us, actor, edit: room.modules.change(now_us, actor, edit),
)


class EditPages:
    """Who has no token changes what a remote may that acts for nobody."""

    def __init__(self, host: RoomHost, edited: Edited) -> None:
        self._host, self._edited = host, edited

    def routes(self) -> list[web.RouteDef]:
        """Where it is found."""
        path = f"/api/rooms/{{room}}/{self._edited.what}"
        return [web.get(path, self._show), web.post(path, self._change)]

    async def _show(self, request: web.Request) -> web.Response:
        room = self._room(request)
        if isinstance(room, web.Response):
            return room
        return _json(self._edited.shown(room, self._host.now_us()))

    async def _change(self, request: web.Request) -> web.Response:
        room = self._room(request)
        if isinstance(room, web.Response):
            return room
        # A page of another site can post, but not this type without being asked first.
        if request.content_type != "application/json":
            return _json({"error": "send JSON, as application/json"}, 415)
        try:
            body = await request.content.read(MAX_BYTES + 1)
            edit = self._edit_of(body)
            now_us = self._host.now_us()
            actor = room.places.named_by(_token(request))
            self._host.send(room, self._edited.change(room, now_us, actor, edit))
        except InvalidMessage as error:
            return _json({"error": error.text, "field": error.field}, 400)
        except (Refused, InvalidValue) as error:
            said = refusal(error)
            described = {"error": said.message, "code": said.code, "field": said.field}
            return _json(described, STATUSES.get(said.code, 409))
        return _json(self._edited.shown(room, self._host.now_us()))

    def _edit_of(self, body: bytes) -> messages.Message:
        """One of the messages; its `id` can be left out. Raises InvalidMessage."""
        if len(body) > MAX_BYTES:
            raise InvalidMessage(f"longer than {MAX_BYTES} bytes")
        what = self._edited.what
        try:
            said = msgspec.json.decode(body, type=dict[str, object])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise InvalidMessage(f"not a message of the {what}: {error}") from None
        edit = messages.decode_client(msgspec.json.encode({"id": 0, **said}))
        if not isinstance(edit, self._edited.edits):
            tags = ", ".join(str(kind.__struct_config__.tag) for kind in self._edited.edits)
            raise InvalidMessage(f"must be one of {tags}", "type")
        return edit

    def _room(self, request: web.Request) -> Room | web.Response:
        """Which it is about, or why that is not shown."""
        room = self._host.lobby.rooms.get(request.match_info["room"])
        if room is None:
            return _json({"error": NO_ROOM}, 404)
        return room if _may_look(request, room) else _json({"error": PRIVATE}, 403)


def _may_look(request: web.Request, room: Room) -> bool:
    """Whether a room shows itself to who asks."""
    token = _token(request)
    return not room.is_private or bool(token and room.places.member_with(token))


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )
