"""Lets clients in by their `hello`, or tells them why not."""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from midipool import PROTOCOL_VERSION, messages
from midipool.errors import InvalidMessage, Refused
from midipool.messages import ClientMessage, Error, Hello
from midipool_server.access.audit import AuditEvent
from midipool_server.access.gate import Gate
from midipool_server.access.state import Entry
from midipool_server.connection import Connection
from midipool_server.lobby import Lobby, check_room_name
from midipool_server.operations.tally import Tally
from midipool_server.outgoing import Outgoing, refusal
from midipool_server.room import Room

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who is in a room now."""

    room: Room
    hello: Hello
    replaced: int | None
    """The connection by which this member was here before."""
    out: list[Outgoing]
    """What the room has to send for it."""


class Reception:
    """A server's."""

    def __init__(
        self,
        lobby: Lobby,
        gate: Gate,
        audit: Callable[[AuditEvent], None],
        now_us: Callable[[], int],
        tally: Tally,
    ) -> None:
        self._lobby = lobby
        self._gate = gate
        self._audit = audit
        self._now_us = now_us
        self._tally = tally
        self._warned_of_plain_keys = False
        self.draining = False
        """Whether no more members are let in, because the server goes down."""

    async def welcome(
        self, connection: Connection, room_name: str, data: str | bytes
    ) -> Arrival | None:
        """Let a client in by its `hello`, or tell it why not."""
        hello: ClientMessage | None = None
        try:
            hello = messages.decode_client(data)
            return await self._join(connection, room_name, hello)
        except InvalidMessage as error:
            self.refuse(connection, bad_message(error))
        except Refused as error:
            name = hello.name if isinstance(hello, Hello) else ""
            where = connection.address
            self._audit(AuditEvent("refused", room_name[:64], name, where, code=error.code))
            self.refuse(connection, refusal(error))
        return None

    def refuse(self, connection: Connection, error: Error) -> None:
        """Say why somebody is not let in."""
        self._tally.refused[error.code] += 1
        log.info("not let in (%s): %s", error.code, error.message)
        connection.send(error)
        connection.close(error.message, again=error.code in messages.TRY_AGAIN)

    async def _join(self, connection: Connection, room_name: str, hello: ClientMessage) -> Arrival:
        if not isinstance(hello, Hello):
            raise Refused("hello_expected", "the first message must be `hello`")
        if hello.version != PROTOCOL_VERSION:
            text = f"this server speaks version {PROTOCOL_VERSION}, the client {hello.version}: "
            older = "client" if hello.version < PROTOCOL_VERSION else "server"
            raise Refused("bad_version", f"{text}update the {older}", "version")
        remote = hello.role == "remote"
        if self.draining and not (remote or self._lobby.keeps(room_name, hello.name, hello.token)):
            raise Refused("going_down", "this server goes down: try again in a moment")
        entry = await self._entry(connection, room_name, hello)
        room = self._lobby.enter(room_name, remote)
        try:
            replaced, out = room.join(
                self._now_us(),
                connection.id,
                hello.name,
                hello.token,
                remote,
                secrets.token_hex(16),
                hello.capabilities,
                entry,
            )
        finally:
            self._lobby.close_if_empty(room)
        return Arrival(room, hello, replaced, out)

    async def _entry(self, connection: Connection, room_name: str, hello: Hello) -> Entry:
        """What a client shows, checked; raises Refused. Who has a place there shows nothing."""
        room = self._lobby.rooms.get(room_name)
        if room is not None and hello.token and room.places.member_with(hello.token) is not None:
            return Entry(connection.address, kind=hello.kind)
        state = None if room is None else room.access.state
        if room is None:
            check_room_name(room_name)
        gate, address = self._gate, connection.address
        entry = await gate.entry(hello, room_name, state, address, self._now_us())
        return replace(entry, kind=hello.kind)

    def warn_of_plain_keys(self, connection: Connection, room: Room) -> None:
        """Say once that keys go where others can read them."""
        if room.media is None or connection.private or self._warned_of_plain_keys:
            return
        self._warned_of_plain_keys = True
        log.warning(
            "the keys of the rooms' audio go out over plain ws://: whoever can listen on the way"
            " can hear the rooms; put a proxy with TLS in front (wss://)"
        )


def bad_message(error: InvalidMessage) -> Error:
    """What is answered to what is no message."""
    return Error(code="bad_message", message=error.text, field=error.field, id=error.id)
