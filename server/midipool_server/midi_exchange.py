"""What members play goes to those who hear them: as the room's graph says, and who is there."""

from collections.abc import Mapping

from midipool import messages
from midipool.errors import Refused
from midipool.messages import Midi
from midipool_server.connection import Connection
from midipool_server.midi_links import by_link, parted
from midipool_server.midi_relay import MidiRelay, Relayed
from midipool_server.room import Room


class MidiExchange:
    """Between a server's connections, by their ids; in all rooms."""

    def __init__(self, connections: Mapping[int, Connection]) -> None:
        self._connections = connections
        self._midi = MidiRelay()

    def play(self, now_us: int, id: int, room: Room, midi: Midi) -> None:
        """A connection's member plays; raises Refused."""
        member = room.members.get(id)
        if member is None or member.remote:
            raise Refused("not_member", "a remote plays no MIDI: join as a member")
        room.access.check(id, Midi)
        if member.muted:
            raise Refused("muted", "a host has muted you: nobody hears what you play")
        receivers = self._receivers(room, member.id)
        relayed = self._midi.take(now_us, member.id, member.name, midi, receivers)
        links = room.floor.graph.sent_to(member.name, "midi")
        self._relay(by_link(relayed, {id: links[room.members[id].name] for id in receivers}))

    def gone(self, id: int, room: Room | None, instead: int | None = None) -> None:
        """End what a connection's member plays: it goes, or is there by another one, `instead`."""
        self._relay(self._midi.gone(id, self._receivers(room, id if instead is None else instead)))

    def part(self, room: Room) -> None:
        """End what somebody plays where it is not heard any more."""
        before, graph = room.routing.seen, room.floor.graph
        room.routing.seen = graph
        if before is graph:
            return
        ids = {m.name: m.id for m in room.places.members() if m.id in self._connections}
        for name, targets in parted(before, graph, ids).items():
            to = [ids[target] for target in targets if target in ids]
            crowded = {id: self._connections[id].crowded for id in to}
            self._relay(self._midi.parted(ids[name], crowded))

    def _receivers(self, room: Room | None, sender: int) -> dict[int, bool]:
        """The members that hear another one and are connected, and whether each has much unread."""
        if room is None:
            return {}
        name = room.members[sender].name if sender in room.members else None
        links = None if name is None else room.floor.graph.sent_to(name, "midi")
        others = [m for m in room.members.values() if m.connected and not m.remote]
        here = [m.id for m in others if m.id != sender and (links is None or m.name in links)]
        return {id: self._connections[id].crowded for id in here if id in self._connections}

    def _relay(self, relayed: list[Relayed]) -> None:
        for message, ids in relayed:
            data = messages.encode(message)
            for id in ids:
                self._connections[id].send_encoded(data)
