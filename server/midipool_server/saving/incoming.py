"""A document that comes in pieces, one at a time: nobody fills the server's memory. Pure."""

from dataclasses import dataclass, field

from midipool.errors import Refused
from midipool.messages import LoadRoom

PATIENCE_US = 15_000_000


@dataclass(slots=True)
class Incoming:
    """The pieces of one sender."""

    _sender: tuple[int, int] | None = None
    """Connection, and the id of its `room_load`."""
    _left: int = 0
    _begun_us: int = 0
    _data: bytearray = field(default_factory=bytearray)

    def is_first(self, connection: int, id: int) -> bool:
        """Whether a piece begins a document."""
        return self._sender != (connection, id)

    def take(self, now_us: int, connection: int, piece: LoadRoom) -> bytes | None:
        """One more piece; returns the whole when it is there. Raises Refused."""
        if self.is_first(connection, piece.id):
            busy = self._sender is not None and self._sender[0] != connection
            if busy and now_us < self._begun_us + PATIENCE_US:
                raise Refused("snapshot_busy", "somebody else is loading a room: wait a moment")
            self._sender, self._begun_us = (connection, piece.id), now_us
            self._left, self._data = piece.left, bytearray()
        elif piece.left != self._left - 1:
            self._forget()
            raise Refused("bad_snapshot", "a piece is missing: load it again", "left")
        self._left = piece.left
        self._data += piece.data
        if piece.left:
            return None
        data = bytes(self._data)
        self._forget()
        return data

    def cut(self, connection: int) -> None:
        """A connection ended."""
        if self._sender is not None and self._sender[0] == connection:
            self._forget()

    def _forget(self) -> None:
        self._sender, self._data = None, bytearray()
