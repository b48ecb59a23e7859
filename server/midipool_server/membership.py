"""Everybody hears who is in the room, and each says how its clock does. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from midipool.messages import MemberStatus, Message, Name, Role, Token
from midipool_server.feature import Feature, Handler
from midipool_server.floor import Floor
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member
from midipool_server.saving.section import Then


class KeptPlace(msgspec.Struct, frozen=True):
    """A member's place, for when it is back."""

    name: Name
    token: Token
    role: Role = "player"
    muted: bool = False
    guest: bool = False
    invitation: str = ""


class Membership(Feature):
    """Members come and go."""

    key = "membership"

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def handlers(self) -> Mapping[type[Message], Handler]:
        """How a member's clock does."""
        return {MemberStatus: self._set_status}

    def came(self, now_us: int, member: Member, old: Member | None) -> list[Outgoing]:
        """Who takes its place again was never gone: only another name is told in the chat."""
        told = [Outgoing(self._floor.places.message())]
        if old is None:
            return [*self._floor.notice(now_us, "came", member.name), *told]
        if old.name != member.name:
            text = f"was {old.name} before"
            return [*self._floor.notice(now_us, "did", member.name, text), *told]
        return told

    def lost(self, now_us: int, member: Member) -> list[Outgoing]:
        """Everybody sees that it is away."""
        return [Outgoing(self._floor.places.message())]

    def left(self, now_us: int, gone: list[Member]) -> list[Outgoing]:
        """Everybody sees who is left."""
        told = [n for member in gone for n in self._floor.notice(now_us, "left", member.name)]
        return [Outgoing(self._floor.places.message()), *told]

    def to_keep(self, now_us: int) -> list[KeptPlace]:
        """Everybody's place."""
        return [
            KeptPlace(m.name, m.token, m.role, m.muted, m.guest, m.invitation)
            for m in self._floor.places.members()
        ]

    def bring_back(self, now_us: int, said: Any, then: Then) -> None:
        """All are away, as if their connections had just broken."""
        for id, kept in enumerate(msgspec.convert(said, list[KeptPlace]), 1):
            # No connection has such an id.
            away = Member(-id, kept.name, kept.token, connected=False, gone_us=now_us)
            away.role, away.muted = kept.role, kept.muted
            away.guest, away.invitation = kept.guest, kept.invitation
            self._floor.places.by_id[-id] = away

    def describe(self, now_us: int) -> dict[str, object]:
        """As everybody is told."""
        return {"members": self._floor.places.message().members}

    def _set_status(self, now_us: int, id: int, status: MemberStatus) -> list[Outgoing]:
        if id in self._floor.places.by_id:
            self._floor.places.by_id[id].status = status
        return []
