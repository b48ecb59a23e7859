"""Feeds the pure rooms: connections in, messages out, and a timer for what is due."""

import asyncio
import itertools
import logging
from collections.abc import Callable

from midipool import messages
from midipool.errors import InvalidMessage, InvalidValue, Refused
from midipool.messages import (
    AudioReport,
    BarSync,
    ClientMessage,
    ClockProbe,
    ClockReply,
    Closing,
    Error,
    GoingDown,
    HeardBy,
    Hello,
    MediaOfferFrom,
    MemberStatus,
    Message,
    Midi,
    SetPassword,
)
from midipool_server.access.audit import AuditEvent
from midipool_server.access.gate import Gate
from midipool_server.connection import BAD_MESSAGE_COST, Connection
from midipool_server.lobby import Lobby
from midipool_server.media_relay import MediaRelay
from midipool_server.midi_exchange import MidiExchange
from midipool_server.operations import logs
from midipool_server.operations.tally import Tally
from midipool_server.outgoing import Outgoing, refusal
from midipool_server.reception import Arrival, Reception, bad_message
from midipool_server.room import Room
from midipool_server.turns import Turns
from midipool_server.viewers import Viewers

log = logging.getLogger(__name__)

HELLO_PATIENCE_S = 5.0
# What changes nothing in a room.
PASSING = (BarSync, ClockReply, HeardBy, MediaOfferFrom)
GOODBYE_S = 2.5
COME_IN_A_ROUND = 16
REPORTS = (AudioReport, MemberStatus)
"""What most messages are. They change what is shown and what is relayed, and nothing else that the
room has to do."""


class RoomHost:
    """Owns the lobby and who is connected to which room."""

    def __init__(
        self,
        lobby: Lobby,
        now_us: Callable[[], int],
        now_ns: Callable[[], int],
        media: MediaRelay | None = None,
        gate: Gate | None = None,
        audit: Callable[[AuditEvent], None] = lambda event: None,
    ) -> None:
        self.lobby = lobby
        self._gate = Gate() if gate is None else gate
        self._audit = audit
        self.media = media
        self.now_us = now_us
        self._now_ns = now_ns
        self._ids = itertools.count(1)
        self._connections: dict[int, Connection] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._midi = MidiExchange(self._connections)
        lobby.means = self._gate.means
        lobby.first_state = self._gate.first_state
        self.viewers = Viewers()
        self.on_changed: Callable[[str], None] = lambda room: None
        """Told the name of each room in which something happens that is worth keeping."""
        self.run_modules: Callable[[Room], None] = lambda room: None
        """Does what a room wants done with its modules' processes."""
        self.tally = Tally()
        self.turns = Turns(COME_IN_A_ROUND)
        """Of those who come: rooms that play do not wait for all of them."""
        self._reception = Reception(lobby, self._gate, audit, now_us, self.tally)

    @property
    def draining(self) -> bool:
        """Whether no more members are let in, because the server goes down."""
        return self._reception.draining

    @property
    def connected(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    def members_connected(self) -> int:
        """How many members are here, in all rooms."""
        rooms = self.lobby.rooms.values()
        return sum(m.connected and not m.remote for r in rooms for m in r.members.values())

    def fullest_outbox(self) -> int:
        """How much is unsent to the client that reads least."""
        return max((c.unsent for c in self._connections.values()), default=0)

    def next_id(self) -> int:
        """An id for a new connection."""
        return next(self._ids)

    async def serve(self, connection: Connection, room_name: str) -> None:
        """Talk with one client until its connection ends."""
        logs.about(room=room_name, connection=connection.id)
        connection.about = {"room": room_name, "connection": connection.id, "member": None}
        self._connections[connection.id] = connection
        outbox = asyncio.create_task(connection.run_outbox())
        listening = asyncio.create_task(self._listen(connection, room_name))
        try:
            await asyncio.wait([outbox, listening], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if connection.closing and not outbox.done():
                await asyncio.wait([outbox], timeout=GOODBYE_S)
            for task in (outbox, listening):
                task.cancel()
            results = await asyncio.gather(outbox, listening, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                    log.error("the connection failed", exc_info=result)
            self._gone(connection, room_name)

    def drain(self, reason: str, in_s: float) -> None:
        """Let no more members in, and tell those who are here that the server ends in `in_s`."""
        self._reception.draining = True
        for room in self.lobby.rooms.values():
            going = Outgoing(GoingDown(reason=reason, in_s=in_s), needs="going_down")
            self._send(room, [going, *room.modules.end(self.now_us())])

    def resume(self, room: Room) -> None:
        """A room is here without anybody having come."""
        self._send(room, [])

    def close_all(self, reason: str) -> list[Connection]:
        """Say goodbye to everybody; returns whom."""
        for connection in self._connections.values():
            connection.close(reason, again=True)
        for timer in self._timers.values():
            timer.cancel()
        self.viewers.close()
        return list(self._connections.values())

    def send(self, room: Room, out: list[Outgoing]) -> None:
        """What follows from something that came by no connection."""
        self._send(room, out)

    # ---- one connection ----

    async def _listen(self, connection: Connection, room_name: str) -> None:
        incoming = connection.incoming()
        try:
            async with asyncio.timeout(HELLO_PATIENCE_S):
                first = await anext(incoming, None)
        except TimeoutError:
            text = f"no `hello` came within {HELLO_PATIENCE_S:g} s"
            self._reception.refuse(connection, Error(code="hello_expected", message=text))
            return
        if first is None:
            return
        arrival = await self._reception.welcome(connection, room_name, first)
        if arrival is None:
            return
        room = self._arrived(connection, arrival)
        async for data in incoming:
            if not await self._take(connection, room, data):
                return
            # What came in one piece must not fill the others' outboxes before they can send.
            await asyncio.sleep(0)

    def _arrived(self, connection: Connection, arrival: Arrival) -> Room:
        """Somebody is in a room: the others hear of it."""
        room, hello, replaced = arrival.room, arrival.hello, arrival.replaced
        if replaced is not None and replaced in self._connections:
            self._midi.gone(replaced, room, connection.id)
            self._connections[replaced].close("this member came back on another connection", False)
        self._send(room, arrival.out)
        self.tally.joined += 1
        logs.about(member=hello.name)
        connection.about["member"] = hello.name
        log.info("a remote joined" if hello.role == "remote" else "joined")
        self._reception.warn_of_plain_keys(connection, room)
        return room

    async def _take(self, connection: Connection, room: Room, data: str | bytes) -> bool:
        """Handle one message; False when the connection must end."""
        now_us = self.now_us()
        message = _decoded(data)
        limit = connection.midi_limit if isinstance(message, Midi) else connection.limit
        if not limit.allow(now_us):
            text = "more messages than this server takes from one connection: "
            text += f"{limit.per_second:g} a second ({limit.name})"
            self.tally.cut["too_fast"] += 1
            log.warning("cut: %s", text)
            connection.send(Error(code="too_fast", message=text))
            connection.close(text, again=True)
            return False
        if isinstance(message, InvalidMessage):
            connection.limit.allow(now_us, BAD_MESSAGE_COST)
            self._answer(connection, bad_message(message))
            return True
        self._count(message)
        try:
            if isinstance(message, SetPassword):
                out: list[Outgoing] | None = await self._set_password(connection, room, message)
            else:
                out = self._handle(connection, room, message, now_us)
            if isinstance(message, REPORTS) and out is not None:
                self._tell_relay(room)
                self._deliver(room, out)
            elif out is not None:
                self._send(room, out)
        except (Refused, InvalidValue) as error:
            self._answer(connection, refusal(error, getattr(message, "id", None)))
        return True

    def _answer(self, connection: Connection, error: Error) -> None:
        self.tally.errors[error.code] += 1
        connection.send(error)

    def _count(self, message: ClientMessage) -> None:
        self.tally.received[str(type(message).__struct_config__.tag)] += 1
        if isinstance(message, MemberStatus):
            self.tally.clock_error_s.add(message.error_bound_us * 1e-6)
            self.tally.round_trip_s.add(message.round_trip_us * 1e-6)

    def _handle(
        self, connection: Connection, room: Room, message: ClientMessage, now_us: int
    ) -> list[Outgoing] | None:
        """What the room has to send; None if nothing in it changes."""
        match message:
            case Midi():
                self._midi.play(now_us, connection.id, room, message)
                return None
            case ClockProbe(t1_ns=t1_ns):
                t2_ns = self._now_ns()
                reply = ClockReply(t1_ns=t1_ns, t2_ns=t2_ns, t3_ns=self._now_ns())
                return [Outgoing(reply, connection.id)]
            case Hello():
                raise Refused("hello_expected", "`hello` comes once, as the first message")
            case _:
                return room.handle(now_us, connection.id, message)

    async def _set_password(
        self, connection: Connection, room: Room, command: SetPassword
    ) -> list[Outgoing]:
        """Hashed beside the rooms, which play on meanwhile; raises Refused."""
        room.access.check(connection.id, SetPassword)
        said = command.password
        kept = None if said is None else await self._gate.hashed(said)
        return room.hosts.set_password(self.now_us(), connection.id, command, kept)

    def _gone(self, connection: Connection, room_name: str) -> None:
        del self._connections[connection.id]
        connection.ended.set()
        room = self.lobby.rooms.get(room_name)
        if connection.overflowed:
            self.tally.cut["outbox_full"] += 1
        if room is not None and (member := room.members.get(connection.id)) is not None:
            said = "left" if connection.left else "lost"
            log.info(said, extra={"member": member.name})
        self._midi.gone(connection.id, room)
        if room is not None and connection.left:
            self._send(room, room.leave(self.now_us(), connection.id))
        elif room is not None:
            self._send(room, room.lost(self.now_us(), connection.id))

    # ---- sending and timing ----

    def _send(self, room: Room, out: list[Outgoing]) -> None:
        self._tell_relay(room)
        self._write_down(room)
        self.run_modules(room)
        self._midi.part(room)
        self._deliver(room, out)
        self._schedule(room)

    def _tell_relay(self, room: Room) -> None:
        if self.media is not None:
            self.media.follow(room)

    def _deliver(self, room: Room, out: list[Outgoing]) -> None:
        for outgoing in out:
            if isinstance(outgoing.message, Closing):
                self._end(room, outgoing.message, outgoing.to)
                continue
            data = messages.encode(outgoing.message)
            self._count_sync(outgoing.message)
            for id in _receivers_of(room, outgoing):
                connection = self._connections.get(id)
                if connection is not None and not (outgoing.can_wait and connection.crowded):
                    connection.send_encoded(data, outgoing.can_wait)
                    self.tally.sent += 1
        self.viewers.changed(room.name)
        if any(not isinstance(outgoing.message, PASSING) for outgoing in out):
            self.on_changed(room.name)

    def _count_sync(self, message: Message) -> None:
        if isinstance(message, BarSync):
            lead_us = message.target_send_timestamp - self.now_us()
            self.tally.bar_sync_lead_s.add(lead_us * 1e-6)

    def _end(self, room: Room, closing: Closing, id: int | None) -> None:
        """A room wants a connection to end."""
        connection = self._connections.get(id) if id is not None else None
        if connection is not None:
            self._midi.gone(connection.id, room)
            connection.close(closing.reason, closing.again)

    def _write_down(self, room: Room) -> None:
        """What happened at a room's door."""
        for event in room.access.events:
            self._audit(event)
        room.access.events.clear()
        self._gate.keep()

    def _schedule(self, room: Room) -> None:
        """Call the room again when it says that something is due."""
        timer = self._timers.pop(room.name, None)
        if timer is not None:
            timer.cancel()
        deadline = room.next_deadline()
        if deadline is None or self.lobby.rooms.get(room.name) is not room:
            self.lobby.close_if_empty(room)
            return
        wait_s = max(deadline - self.now_us(), 0) * 1e-6
        loop = asyncio.get_running_loop()
        self._timers[room.name] = loop.call_later(wait_s, self._poll, room)

    def _poll(self, room: Room) -> None:
        with logs.only_about(room=room.name):
            out = room.poll(self.now_us())
            self.lobby.close_if_empty(room)
            self._send(room, out)


def _receivers_of(room: Room, outgoing: Outgoing) -> list[int]:
    """The connections that a message is for."""
    here = room.members
    ids = list(here) if outgoing.to is None else [outgoing.to]
    if outgoing.needs is None:
        return ids
    return [id for id in ids if id in here and outgoing.needs in here[id].capabilities]


def _decoded(data: str | bytes) -> ClientMessage | InvalidMessage:
    try:
        return messages.decode_client(data)
    except InvalidMessage as error:
        return error
