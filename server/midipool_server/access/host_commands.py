"""What hosts do: put out, ban, mute, give roles, keep the door, invite. Pure."""

from collections.abc import Callable, Mapping

from midipool.errors import Refused
from midipool.messages import (
    Admit,
    Ban,
    Closing,
    GiveRole,
    HostCommand,
    Invitation,
    Invite,
    Kick,
    Message,
    Mute,
    Revoke,
    SetDoor,
    SetPassword,
    TurnAway,
    Unban,
)
from midipool_server.access.audit import What
from midipool_server.access.entering import Newcomer, Verdict
from midipool_server.access.guessing import is_shared, network_of
from midipool_server.access.invitations import Invited, signed
from midipool_server.access.passwords import PasswordHash
from midipool_server.access.revoked import meant
from midipool_server.access.room_access import RoomAccess
from midipool_server.access.state import MOST_BANS, Banned, digest_of
from midipool_server.feature import Feature, Handler
from midipool_server.media_keys import RoomMedia
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member

Enter = Callable[[int, Newcomer, Verdict], list[Outgoing]]
Leave = Callable[[int, int], list[Outgoing]]
DOORS = {"open": "opened the door", "ask": "has who comes wait", "locked": "locked the door"}


class HostCommands(Feature):
    """Whether the sender is a host was checked before (roles.py)."""

    def __init__(
        self,
        access: RoomAccess,
        media: RoomMedia | None,
        enter: Enter,
        leave: Leave,
        unix_us: Callable[[int], int],
    ) -> None:
        self._access = access
        self._floor = access.floor
        self._media = media
        self._enter = enter
        self._leave = leave
        self._unix_us = unix_us

    def handlers(self) -> Mapping[type[Message], Handler]:
        """All but the password, which is hashed where that takes no time of the room."""
        return {
            Kick: self._kick,
            Ban: self._ban,
            Unban: self._unban,
            Mute: self._mute,
            GiveRole: self._give_role,
            SetDoor: self._set_door,
            Admit: self._admit,
            TurnAway: self._turn_away,
            Invite: self._invite,
            Revoke: self._revoke,
        }

    def set_password(
        self, now_us: int, id: int, command: SetPassword, kept: PasswordHash | None
    ) -> list[Outgoing]:
        """Let `kept`, which was made of the command's, be the password; raises Refused."""
        self._access.check(id, SetPassword)
        self._access.state.password = kept
        self._access.note("password", by=self._by(id), how="set" if kept else "removed")
        text = "set a password" if kept else "removed the password"
        return self._done(now_us, id, command, text)

    # ---- members ----

    def _kick(self, now_us: int, id: int, kick: Kick) -> list[Outgoing]:
        member = self._other(id, kick.member)
        self._note("kicked", member, id, kick.reason)
        gone = self._put_out(now_us, member, "put you out of the room", id, kick.reason)
        return [*gone, *self._done(now_us, id, kick, f"put out {member.name}")]

    def _ban(self, now_us: int, id: int, ban: Ban) -> list[Outgoing]:
        waits = self._waiting(ban.member)
        if waits is not None and self._member(ban.member) is None:
            self._put_on_list(waits.name, waits.token, waits.entry.address)
            self._access.note("banned", waits.name, waits.entry.address, by=self._by(id))
            out = self._send_away(waits, "a host of the room has banned you")
            return [*out, *self._done(now_us, id, ban, f"banned {waits.name}")]
        member = self._other(id, ban.member)
        self._put_on_list(member.name, member.token, member.address)
        self._note("banned", member, id, ban.reason)
        gone = self._put_out(now_us, member, "banned you from the room", id, ban.reason)
        return [*gone, *self._done(now_us, id, ban, f"banned {member.name}")]

    def _unban(self, now_us: int, id: int, unban: Unban) -> list[Outgoing]:
        state = self._access.state
        left = [banned for banned in state.bans if banned.name != unban.member]
        if len(left) == len(state.bans):
            text = f"nobody named {unban.member!r} is banned here"
            raise Refused("no_such_ban", text, "member")
        state.bans = left
        self._access.note("unbanned", unban.member, by=self._by(id))
        return self._done(now_us, id, unban, f"lets in {unban.member} again")

    def _mute(self, now_us: int, id: int, mute: Mute) -> list[Outgoing]:
        member = self._known(mute.member)
        if member.muted == mute.muted:
            return self._done(now_us, id, mute)
        member.muted = mute.muted
        self._sounds_otherwise()
        self._note("muted" if mute.muted else "unmuted", member, id)
        text = f"{'muted' if mute.muted else 'unmuted'} {member.name}"
        return self._done(now_us, id, mute, text)

    def _give_role(self, now_us: int, id: int, give: GiveRole) -> list[Outgoing]:
        member = self._known(give.member)
        hosts = [m for m in self._floor.places.members() if m.role == "host"]
        if member.role == "host" and give.role != "host" and len(hosts) == 1:
            raise Refused("last_host", "the room keeps a host: make somebody else one first")
        if member.role == give.role:
            return self._done(now_us, id, give)
        member.role = give.role
        self._sounds_otherwise()
        self._access.note("role", member.name, by=self._by(id), role=give.role)
        return self._done(now_us, id, give, f"made {member.name} a {give.role}")

    # ---- the door ----

    def _set_door(self, now_us: int, id: int, command: SetDoor) -> list[Outgoing]:
        state = self._access.state
        if state.door == command.door:
            return self._done(now_us, id, command)
        state.door = command.door
        self._access.note("door", by=self._by(id), how=command.door)
        return self._done(now_us, id, command, DOORS[command.door])

    def _admit(self, now_us: int, id: int, admit: Admit) -> list[Outgoing]:
        newcomer = self._who_waits(admit.member)
        entered = self._enter(now_us, newcomer, Verdict("player", f"by {self._by(id)}"))
        self._access.waiting.pop(newcomer.id, None)
        return [*entered, *self._done(now_us, id, admit)]

    def _turn_away(self, now_us: int, id: int, command: TurnAway) -> list[Outgoing]:
        newcomer = self._who_waits(command.member)
        by = self._by(id)
        address = newcomer.entry.address
        self._access.note("refused", newcomer.name, address, by=by, code="turned_away")
        out = self._send_away(newcomer, _because("a host did not let you in", command.reason))
        return [*out, *self._done(now_us, id, command)]

    def _invite(self, now_us: int, id: int, invite: Invite) -> list[Outgoing]:
        means = self._access.means
        until_s = int(self._unix_us(now_us) / 1e6 + invite.hours * 3600)
        room = self._access.room
        invited = Invited(means.new_id(), room, invite.role, until_s, invite.uses)
        text = signed(invited, means.key())
        self._access.note("invitation", by=self._by(id), role=invite.role, invitation=invited.id)
        return [
            Outgoing(Invitation(invite.id, text), id),
            *self._done(now_us, id, invite),
        ]

    def _revoke(self, now_us: int, id: int, revoke: Revoke) -> list[Outgoing]:
        means, room = self._access.means, self._access.room
        now_s = self._unix_us(now_us) / 1e6
        invitation, until_s = meant(revoke.invitation, means.key(), room, now_s)
        means.revoked.take_back(room, invitation, until_s, now_s)
        self._access.note("revoked", by=self._by(id), invitation=invitation)
        return self._done(now_us, id, revoke)

    # ---- inside ----

    def _done(self, now_us: int, id: int, command: HostCommand, text: str = "") -> list[Outgoing]:
        """The answer, and who hears of it."""
        told = self._floor.notice(now_us, "did", self._by(id) or None, text) if text else []
        return [Outgoing(self._floor.ok(command.id, now_us), id), *told, *self._access.news()]

    def _by(self, id: int) -> str:
        return self._floor.places.acting(id) or ""

    def _note(self, what: What, member: Member, id: int, text: str = "") -> None:
        self._access.note(what, member.name, member.address, by=self._by(id), text=text)

    def _member(self, name: str) -> Member | None:
        return next((m for m in self._floor.places.members() if m.name == name), None)

    def _known(self, name: str) -> Member:
        member = self._member(name)
        if member is None:
            raise Refused("no_such_member", f"nobody named {name!r} is in the room", "member")
        return member

    def _other(self, id: int, name: str) -> Member:
        member = self._known(name)
        if name == self._by(id):
            raise Refused("no_such_member", "that is yourself: leave the room instead", "member")
        return member

    def _waiting(self, name: str) -> Newcomer | None:
        return next((n for n in self._access.waiting.values() if n.name == name), None)

    def _who_waits(self, name: str) -> Newcomer:
        newcomer = self._waiting(name)
        if newcomer is None:
            raise Refused("no_such_member", f"nobody named {name!r} waits", "member")
        return newcomer

    def _send_away(self, newcomer: Newcomer, text: str) -> list[Outgoing]:
        del self._access.waiting[newcomer.id]
        return [Outgoing(Closing(text, again=False), newcomer.id)]

    def _put_out(
        self, now_us: int, member: Member, what: str, id: int, reason: str
    ) -> list[Outgoing]:
        """A member goes for good, and the remotes that act for it, but for who asked."""
        text = _because(f"{self._by(id) or 'the operator'} {what}", reason)
        same = [m.id for m in self._floor.places.by_id.values() if m.token == member.token]
        ends = [Outgoing(Closing(text, again=False), other) for other in same if other != id]
        gone = self._leave(now_us, member.id)
        digest = digest_of(member.token)
        state = self._access.state
        state.granted = [g for g in state.granted if g.token_digest != digest]
        return [*ends, *gone]

    def _put_on_list(self, name: str, token: str, address: str) -> None:
        network = network_of(address)
        others = [m for m in self._floor.places.members() if m.name != name]
        shared = is_shared(address) or any(network_of(m.address) == network for m in others)
        banned = Banned(name, digest_of(token), "" if shared else network)
        self._access.state.bans = [*self._access.state.bans, banned][-MOST_BANS:]

    def _sounds_otherwise(self) -> None:
        """The relay has to know."""
        if self._media is not None:
            self._media.version += 1


def _because(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text
