"""One thing that a room does, of which a room is put together (room.py lists them). Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from midipool.messages import Message
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member
from midipool_server.saving.section import Section, Then

Handler = Callable[[int, int, Any], list[Outgoing]]
"""Takes the room time, the id of the connection and its message; raises Refused, InvalidValue."""


class Feature:
    """Is told what happens in the room, and returns what must be sent. All of it can be left out.

    A *member* is never a remote here, but for `greet`.
    """

    key = ""
    """Under which `to_keep` is kept."""

    def handlers(self) -> Mapping[type[Message], Handler]:
        """Which messages of clients it answers: each type belongs to one feature."""
        return {}

    def renamed(self, old: str, new: str) -> None:
        """A member came back under another name."""

    def greet(self, now_us: int, member: Member) -> list[Outgoing]:
        """What somebody is told who comes, after `welcome`. Also for remotes."""
        return []

    def came(self, now_us: int, member: Member, old: Member | None) -> list[Outgoing]:
        """A member is here; `old` is the place that it takes again."""
        return []

    def cut(self, id: int) -> list[Outgoing]:
        """A connection ended, a remote's too."""
        return []

    def lost(self, now_us: int, member: Member) -> list[Outgoing]:
        """A member's connection broke, and its place is kept."""
        return []

    def left(self, now_us: int, gone: list[Member]) -> list[Outgoing]:
        """Members have left for good."""
        return []

    def poll(self, now_us: int) -> list[Outgoing]:
        """What is due at `now_us`."""
        return []

    def next_deadline(self) -> int | None:
        """Room time at which `poll` has something to do; None while nothing will happen."""
        return None

    def describe(self, now_us: int) -> dict[str, object]:
        """Its part of the room in JSON's terms, for /api/rooms."""
        return {}

    def sections(self) -> Sequence[Section]:
        """Its parts of the room's document."""
        return ()

    def to_keep(self, now_us: int) -> object:
        """What a server comes back with that was killed, for msgspec; None: its sections."""
        return None

    def bring_back(self, now_us: int, said: Any, then: Then) -> None:
        """Be as `to_keep` said; when that was, `then` says.

        Raises InvalidValue, msgspec.ValidationError.
        """
