"""Keeps the C relay in step with the rooms: who is in which, and under which key."""

import logging
from dataclasses import asdict, dataclass, field

from midipool_native.checks import NativeError
from midipool_native.relay import Relay
from midipool_server.room import Room

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Told:
    """What the relay knows of a room."""

    number: int
    version: int = -1
    key_id: int = -1
    senders: set[int] = field(default_factory=set)


class MediaRelay:
    """Rooms are told apart by name; each has a number in the relay."""

    def __init__(self, relay: Relay, stun_port: int | None = None) -> None:
        self.stun_port = stun_port
        """Where STUN alone is answered."""
        self._relay = relay
        self._told: dict[str, _Told] = {}
        self._free_numbers: list[int] = []

    def follow(self, room: Room) -> None:
        """Tell the relay what has changed in a room since the last call."""
        if room.media is None:
            return
        told = self._told.get(room.name)
        if told is None:
            told = self._told[room.name] = _Told(self._new_number())
        if told.version == room.media.version:
            return
        self._update(told, room)
        if not told.senders:
            self._free_numbers.append(self._told.pop(room.name).number)

    def describe(self, room: Room) -> dict[str, dict[str, int | bool]]:
        """The relay's counters of each member, by name."""
        counters = {m.name: self._relay.member(m.sender) for m in room.places.members()}
        return {name: asdict(counts) for name, counts in counters.items() if counts is not None}

    def close(self) -> None:
        """Stop relaying."""
        self._relay.close()

    def _new_number(self) -> int:
        """The lowest that was never used is how many rooms there are."""
        return self._free_numbers.pop() if self._free_numbers else len(self._told)

    def _update(self, told: _Told, room: Room) -> None:
        assert room.media is not None
        wanted = {m.sender for m in room.places.members()}
        for sender in told.senders - wanted:
            self._relay.remove(sender)
        if told.key_id != room.media.key_id:
            self._relay.set_key(told.number, room.media.key_id, room.media.key)
        for sender in sorted(wanted - told.senders):
            try:
                self._relay.add(sender, told.number, room.media.key_id, room.media.key)
            except NativeError as error:
                log.warning("room %r: a member is not relayed: %s", room.name, error)
        told.version, told.key_id, told.senders = room.media.version, room.media.key_id, wanted
