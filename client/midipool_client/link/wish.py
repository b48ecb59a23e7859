"""What Link's peers want of the room, sent on with patience. Pure."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from midipool.messages import Ok, TransportCommand

EVERY_NS = 250_000_000
ANSWER_NS = 3_000_000_000
"""A vote can take longer: until it has passed, Link is as the room is."""
GIVE_UP_US = 1_000_000

T = TypeVar("T")


@dataclass(slots=True)
class _Asked(Generic[T]):
    command: TransportCommand
    value: T
    host_ns: int
    ok: Ok | None = None


class Wish(Generic[T]):
    """The newest value that a peer set, and the command that asks the room for it.

    At most four commands a second leave, with the value that came last. The wish is `open` until
    the room has agreed and we have its timeline, or until that is in force.
    """

    def __init__(self, until_in_force: bool = False) -> None:
        self._until_in_force = until_in_force
        self._wanted: T | None = None
        self._asked: _Asked[T] | None = None
        self._last_ns: int | None = None

    @property
    def open(self) -> bool:
        """Whether a peer's value still stands against the room's."""
        return self._wanted is not None or self._asked is not None

    def want(self, value: T) -> bool:
        """A peer set `value`; True if an earlier one was never sent."""
        replaced = self._wanted is not None
        self._wanted = value
        return replaced

    def due(self, now_ns: int, have: T) -> T | None:
        """What to ask for now, if the room's `have` or what it was asked for is not it already."""
        if self._wanted is None or not self._may_ask(now_ns):
            return None
        if self._wanted == (have if self._asked is None else self._asked.value):
            self._wanted = None
        return self._wanted

    def asked(self, command: TransportCommand, value: T, now_ns: int) -> None:
        """`command` was sent for `value`."""
        self._wanted = None
        self._last_ns = now_ns
        self._asked = _Asked(command, value, now_ns)

    def answered(self, command: TransportCommand, ok: Ok | None) -> bool:
        """The room's answer, None if it refuses; True if a wish ends by that."""
        if self._asked is None or self._asked.command is not command:
            return False
        if ok is None:
            self._asked = None
            return True
        self._asked.ok = ok
        return False

    def settle(self, now_ns: int, room_us: int, revision: int) -> bool:
        """Close the wish once it has come true; True if the room never answered."""
        asked = self._asked
        if asked is None:
            return False
        if asked.ok is not None:
            late_us = room_us - asked.ok.target_send_timestamp
            has_come = revision >= asked.ok.revision and (late_us >= 0 or not self._until_in_force)
            if has_come or late_us > GIVE_UP_US:
                self._asked = None
            return False
        if now_ns - asked.host_ns <= ANSWER_NS:
            return False
        self._asked = None
        return True

    def _may_ask(self, now_ns: int) -> bool:
        return self._last_ns is None or now_ns - self._last_ns >= EVERY_NS
