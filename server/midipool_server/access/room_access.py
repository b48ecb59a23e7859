"""A room's access: who is what in it, who waits, who was banned, and who hears of that. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from midipool.errors import Refused
from midipool.messages import (
    Access,
    AtTheDoor,
    Closing,
    MemberAccess,
    Message,
    Role,
    Waiting,
)
from midipool_server.access import roles
from midipool_server.access.audit import AuditEvent, What
from midipool_server.access.entering import House, Newcomer, Verdict, judged
from midipool_server.access.means import Means
from midipool_server.access.state import MOST_GRANTED, AccessState, Granted, digest_of
from midipool_server.feature import Feature
from midipool_server.floor import Floor
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member
from midipool_server.saving.section import Loading, Section, Then

MOST_WAITING = 32


class RoomAccess(Feature):
    """Lets in, keeps roles, and tells."""

    key = "access"

    def __init__(
        self,
        room: str,
        floor: Floor,
        state: AccessState,
        means: Means,
        unix_us: Callable[[int], int],
    ) -> None:
        self.room = room
        self.floor = floor
        self.state = state
        self.means = means
        self.waiting: dict[int, Newcomer] = {}
        """By the ids of their connections."""
        self.events: list[AuditEvent] = []
        """For whoever writes the audit log; taken out there."""
        self._unix_us = unix_us
        self._told: Access | None = None
        self._told_hosts: dict[int, AtTheDoor] = {}

    # ---- coming in ----

    def judge(self, newcomer: Newcomer) -> Verdict:
        """Whether somebody may come in, and as what; raises Refused."""
        house = House(
            self.room,
            self.state,
            self.floor.places.members(),
            self.means.uses,
            self.means.invited_only,
        )
        verdict = judged(house, newcomer)
        if verdict.waits and len(self.waiting) >= MOST_WAITING:
            text = f"{MOST_WAITING} wait at the door of room {self.room!r} already: come later"
            raise Refused("room_full", text)
        return verdict

    def wait(self, newcomer: Newcomer) -> list[Outgoing]:
        """Let somebody wait, and the hosts know."""
        self.waiting[newcomer.id] = newcomer
        self.note("waits", newcomer.name, newcomer.entry.address)
        text = "wait until a host of the room lets you in"
        return [Outgoing(Waiting(text), newcomer.id), *self.news()]

    def entered(self, now_us: int, newcomer: Newcomer, member: Member, verdict: Verdict) -> None:
        """Somebody is in: `member` is not told of yet."""
        entry, invited = newcomer.entry, newcomer.entry.invited
        member.role, member.muted, member.address = verdict.role, verdict.muted, entry.address
        member.kind = entry.kind
        before, after = digest_of(newcomer.token), digest_of(member.token)
        if invited is not None:
            member.guest, member.invitation = invited.role != "host", invited.id
            self.means.uses.use(invited, before or None, after, self._unix_us(now_us) / 1e6)
        if not newcomer.remote:
            known = {before, after} if before else {after}
            self.state.granted = [g for g in self.state.granted if g.token_digest not in known]
            if not self._awaits_host():
                self.ensure_host()
        how = "remote, " + verdict.how if newcomer.remote else verdict.how
        id, role = member.invitation, member.role
        self.note("admitted", member.name, entry.address, role=role, how=how, invitation=id)

    def ensure_host(self) -> None:
        """A room whose hosts have all left gets the player that came first, but no guest."""
        members = self.floor.places.members()
        if any(m.role == "host" for m in members):
            return
        fit = [m for m in members if not m.guest and not m.muted and not m.is_module]
        players = [m for m in fit if m.role == "player"]
        first = min(players, key=lambda m: not m.connected, default=None)
        if first is not None:
            first.role = "host"
            self.note("role", first.name, role="host", how="no host was left")

    def _awaits_host(self) -> bool:
        """Whether one who is not here may come back."""
        return any(granted.role == "host" for granted in self.state.granted)

    # ---- what members may do ----

    def role_of(self, id: int) -> Role:
        """What a connection's messages count as; a remote's as those of its member."""
        sender = self.floor.places.by_id.get(id)
        if sender is None:
            return "player"
        acted_for = self.floor.places.member_with(sender.token) if sender.remote else None
        return (acted_for or sender).role

    def check(self, id: int, message: type[Message]) -> None:
        """Raise Refused unless this connection may send such a message."""
        if id in self.waiting:
            raise Refused("waiting", "you are not in the room yet: a host has to let you in")
        roles.check(self.role_of(id), message)

    # ---- what happens in the room ----

    def greet(self, now_us: int, member: Member) -> list[Outgoing]:
        """Who may do what; for hosts, who waits."""
        if "access" not in member.capabilities:
            return []
        told = [Outgoing(self.message(), member.id)]
        if self.role_of(member.id) == "host":
            self._told_hosts[member.id] = self._at_the_door()
            told.append(Outgoing(self._at_the_door(), member.id))
        return told

    def came(self, now_us: int, member: Member, old: Member | None) -> list[Outgoing]:
        """One more, who is something."""
        return self.news()

    def cut(self, id: int) -> list[Outgoing]:
        """Who waited has gone."""
        self._told_hosts.pop(id, None)
        return [] if self.waiting.pop(id, None) is None else self.news()

    def lost(self, now_us: int, member: Member) -> list[Outgoing]:
        """It stays what it is for as long as its place is kept."""
        return []

    def left(self, now_us: int, gone: list[Member]) -> list[Outgoing]:
        """What they were is remembered, but of players; the last one ends the room."""
        for member in gone:
            self.note("left", member.name, member.address)
            self.remember(member)
        if self.floor.places.members():
            self.ensure_host()
            return self.news()
        ends = [Outgoing(Closing("everybody has left the room", True), id) for id in self.waiting]
        self.waiting.clear()
        return ends

    def describe(self, now_us: int) -> dict[str, object]:
        """As members are told."""
        told = self.message()
        return {
            "access": {
                "members": told.members,
                "door": told.door,
                "has_password": told.has_password,
            }
        }

    # ---- what is kept ----

    def remember(self, member: Member) -> None:
        """What somebody was who left; what newcomers are anyway is not kept."""
        digest = digest_of(member.token)
        others = [g for g in self.state.granted if g.token_digest != digest]
        if member.role != "player" or member.muted:
            others.append(Granted(member.name, digest, member.role, member.muted))
        self.state.granted = others[-MOST_GRANTED:]

    def kept(self) -> AccessState:
        """What a snapshot keeps: of those who are here too."""
        here = [
            Granted(m.name, digest_of(m.token), m.role, m.muted)
            for m in self.floor.places.members()
            if m.role != "player" or m.muted
        ]
        known = {g.token_digest for g in here}
        before = [g for g in self.state.granted if g.token_digest not in known]
        return replace(
            self.state, bans=list(self.state.bans), granted=[*before, *here][-MOST_GRANTED:]
        )

    def restore(self, state: AccessState) -> list[Outgoing]:
        """Let a snapshot hold. Who is here has the role that it says of the same token, or name."""
        by_digest = {g.token_digest: g for g in state.granted}
        by_name = {g.name: g for g in state.granted}
        self.state = replace(state, bans=list(state.bans), granted=list(state.granted))
        for member in self.floor.places.members():
            same = by_digest.get(digest_of(member.token)) or by_name.get(member.name)
            if same is not None and not (same.role == "host" and member.role != "host"):
                member.role, member.muted = same.role, same.muted
        if not self._awaits_host():
            self.ensure_host()
        return self.news()

    def sections(self) -> Sequence[Section]:
        """Who is what; the password, the door and bans are in no document."""
        return [Section("roles", self._roles, self._load_roles, self._check_roles)]

    def _roles(self, now_us: int) -> Mapping[str, Role]:
        return {m.name: m.role for m in self.floor.places.members()}

    def _check_roles(self, loading: Loading, said: Mapping[str, Role]) -> None:
        roles_now = self._roles(loading.now_us)
        if all(said.get(name, role) == role for name, role in roles_now.items()):
            return
        if loading.actor is None or roles_now.get(loading.actor) != "host":
            text = "only a host of the room gives roles: ask one, or leave `roles` out"
            raise Refused("not_host", text, "roles")
        if "host" not in {**roles_now, **said}.values():
            raise Refused("bad_value", "somebody must be host", "roles")

    def _load_roles(self, loading: Loading, said: Mapping[str, Role]) -> list[Outgoing]:
        for member in self.floor.places.members():
            member.role = said.get(member.name, member.role)
        self.ensure_host()
        return self.news()

    def to_keep(self, now_us: int) -> AccessState:
        """Password, door, bans, and what those were who left; places have their own roles."""
        return self.state

    def bring_back(self, now_us: int, said: Any, then: Then) -> None:
        """As it was."""
        self.state = msgspec.convert(said, AccessState)

    # ---- what is told ----

    def message(self) -> Access:
        """As everybody is told."""
        members = [MemberAccess(m.name, m.role, m.muted) for m in self.floor.places.members()]
        return Access(members, self.state.door, self.state.password is not None)

    def news(self) -> list[Outgoing]:
        """What is different for everybody, and for hosts."""
        now = self.message()
        told = [] if now == self._told else self.floor.tell("access", now)
        self._told = now
        return [*told, *self._door_news()]

    def note(self, what: What, name: str = "", address: str = "", **more: str) -> None:
        """For the audit log."""
        self.events.append(AuditEvent(what, self.room, name, address, **more))

    def _at_the_door(self) -> AtTheDoor:
        waiting = [newcomer.name for newcomer in self.waiting.values()]
        return AtTheDoor(waiting, sorted({ban.name for ban in self.state.bans}))

    def _door_news(self) -> list[Outgoing]:
        at_the_door = self._at_the_door()
        hosts = [
            m.id
            for m in self.floor.places.by_id.values()
            if m.connected and "access" in m.capabilities and self.role_of(m.id) == "host"
        ]
        nothing = AtTheDoor([], [])
        new = [id for id in hosts if self._told_hosts.get(id, nothing) != at_the_door]
        self._told_hosts = dict.fromkeys(hosts, at_the_door)
        return [Outgoing(at_the_door, id) for id in new]
