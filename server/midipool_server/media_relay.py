"""Keeps the C relay in step with the rooms: who is in which, and under which key."""

import logging
from collections.abc import Collection
from dataclasses import asdict, dataclass, field

from midipool.graph.graph import Graph
from midipool_native.checks import NativeError
from midipool_native.relay import Relay, RelayStats
from midipool_server.room import Room

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Told:
    """What the relay knows of a room."""

    number: int
    version: tuple[int, int, int] = (-1, -1, -1)
    """Of its members and keys, of its graph, and of who refuses whom."""
    key_id: int = -1
    senders: set[int] = field(default_factory=set)
    silent: set[int] = field(default_factory=set)
    unheard: set[tuple[int, int]] = field(default_factory=set)
    """(sender, listener)."""


class MediaRelay:
    """Rooms are told apart by name; each has a number in the relay."""

    def __init__(self, relay: Relay, stun_port: int | None = None) -> None:
        self.stun_port = stun_port
        """Where STUN alone is answered."""
        self._relay = relay
        self._told: dict[str, _Told] = {}
        self._gone_bytes = {"in": 0, "out": 0}
        """Of members that are not in a room any more."""
        self._free_numbers: list[int] = []

    def follow(self, room: Room) -> None:
        """Tell the relay what has changed in a room since the last call."""
        if room.media is None:
            return
        told = self._told.get(room.name)
        if told is None:
            told = self._told[room.name] = _Told(self._new_number())
        version = (room.media.version, room.floor.graph.revision, room.hearings.refusals)
        if told.version == version:
            return
        self._update(told, room)
        told.version = version
        if not told.senders:
            self._free_numbers.append(self._told.pop(room.name).number)

    def describe(self, room: Room) -> dict[str, dict[str, int | bool]]:
        """The relay's counters of each member, by name."""
        counters = {m.name: self._relay.member(m.sender) for m in room.places.members()}
        return {name: asdict(counts) for name, counts in counters.items() if counts is not None}

    def stats(self) -> RelayStats:
        """Of all datagrams."""
        return self._relay.stats()

    def bytes(self) -> dict[str, int]:
        """Of audio: `in` from members, `out` to them."""
        senders = [sender for told in self._told.values() for sender in told.senders]
        total = dict(self._gone_bytes)
        for sender in senders:
            self._add_bytes(total, sender)
        return total

    def _add_bytes(self, total: dict[str, int], sender: int) -> None:
        counts = self._relay.member(sender)
        if counts is not None:
            total["in"] += counts.bytes
            total["out"] += counts.to_bytes

    def close(self) -> None:
        """Stop relaying."""
        self._relay.close()

    def _new_number(self) -> int:
        """The lowest that was never used is how many rooms there are."""
        return self._free_numbers.pop() if self._free_numbers else len(self._told)

    def _update(self, told: _Told, room: Room) -> None:
        assert room.media is not None
        # A place that came back with the server has no sender until its member is back.
        wanted = {m.sender for m in room.places.members() if m.sender}
        for sender in told.senders - wanted:
            self._add_bytes(self._gone_bytes, sender)
            self._relay.remove(sender)
        if told.key_id != room.media.key_id:
            self._relay.set_key(told.number, room.media.key_id, room.media.key)
        for sender in sorted(wanted - told.senders):
            try:
                self._relay.add(sender, told.number, room.media.key_id, room.media.key)
            except NativeError as error:
                log.warning("room %r: a member is not relayed: %s", room.name, error)
                wanted.discard(sender)
        silent = {m.sender for m in room.places.members() if m.silent}
        for sender in sorted(wanted):
            if (sender in silent) != (sender in told.silent):
                self._relay.mute(sender, sender in silent)
        told.key_id, told.senders, told.silent = room.media.key_id, wanted, silent
        self._link(told, room)

    def _link(self, told: _Told, room: Room) -> None:
        """What nobody hears is not passed on; an id that was never told of hears all."""
        there = {pair for pair in told.unheard if told.senders.issuperset(pair)}
        unheard = _unheard(room, told.senders)
        for sender, listener in there ^ unheard:
            self._relay.link(sender, listener, (sender, listener) in there)
        told.unheard = unheard


def _unheard(room: Room, senders: set[int]) -> set[tuple[int, int]]:
    """Whom the graph does not link, and who does not take what is sent."""
    by_name = {m.name: m.sender for m in room.places.members() if m.sender in senders}
    pairs = room.hearings.refused() | _unlinked(room.floor.graph, by_name)
    return {
        (by_name[name], by_name[listener])
        for name, listener in pairs
        if name in by_name and listener in by_name
    }


def _unlinked(graph: Graph, names: Collection[str]) -> set[tuple[str, str]]:
    if graph.is_usual:
        return set()
    return {
        (name, other)
        for name in names
        for other in names
        if other != name and other not in graph.sent_to(name, "audio")
    }
