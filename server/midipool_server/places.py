"""Who is in a room: members, the places kept for those who are away, and remotes. Pure."""

from dataclasses import dataclass, field

from midipool.errors import Refused
from midipool.graph.nodes import why_not_called
from midipool.messages import MODULE_KINDS, MemberInfo, MemberKind, Members, MemberStatus, Role


@dataclass(slots=True)
class Member:
    """Somebody in the room. A broken connection keeps its place until `gone_us`.

    A remote that acts for a member has that member's token.
    """

    id: int
    name: str
    token: str
    remote: bool = False
    connected: bool = True
    gone_us: int = 0
    status: MemberStatus | None = None
    sender: int = 0
    """In media datagrams; 0 without a relay, and of a remote."""
    capabilities: frozenset[str] = frozenset()
    """Optional parts of the protocol that its client understands."""
    kind: MemberKind = "player"
    """What it is, in the room's graph too."""
    role: Role = "player"
    muted: bool = False
    address: str = ""
    """Where it comes from, as far as that is known."""
    guest: bool = False
    """Invited as less than a host: it does not become one by itself."""
    invitation: str = ""
    """The id of that by which it came."""

    @property
    def is_module(self) -> bool:
        """Whether it is a program."""
        return self.kind in MODULE_KINDS

    @property
    def silent(self) -> bool:
        """Whether nobody hears what it plays."""
        return self.muted or self.role == "listener"

    def info(self) -> MemberInfo:
        """What others see of it."""
        sender = self.sender or None
        return MemberInfo(self.name, self.connected, self.status, sender, self.kind)


@dataclass(slots=True)
class Places:
    """Members and remotes by the id of their connection."""

    room_name: str
    max_members: int
    keep_us: int
    by_id: dict[int, Member] = field(default_factory=dict)

    def enter(
        self, id: int, name: str, token: str, remote: bool, new_token: str
    ) -> tuple[Member, Member | None]:
        """A member or remote comes; also returns whose place it takes again. Raises Refused."""
        if remote:
            known = self.member_with(token)
            entered = Member(id, name, token if known else new_token, remote=True)
            self.by_id[id] = entered
            return entered, None
        if text := why_not_called(name):
            raise Refused("name_taken", text, "name")
        old = next((m for m in self.members() if _same_place(m, name, token)), None)
        others = [m for m in self.members() if m is not old]
        if any(m.name == name for m in others):
            text = f"somebody named {name!r} is already in room {self.room_name!r}: choose another"
            raise Refused("name_taken", text, "name")
        if len(others) >= self.max_members:
            text = f"room {self.room_name!r} is full: it takes {self.max_members} members "
            text += "(max_members)"
            raise Refused("room_full", text)
        if old is not None:
            del self.by_id[old.id]
        # Who knows but the name of a host that is away gets not its token.
        keeps = old is not None and (old.role != "host" or old.token == token)
        entered = Member(id, name, old.token if old is not None and keeps else new_token)
        if old is not None and old.token == token:
            entered.guest, entered.invitation = old.guest, old.invitation
        self.by_id[id] = entered
        return entered, old

    def keeps(self, name: str, token: str) -> bool:
        """Whether a place is kept for who comes with this name and token."""
        return any(_same_place(member, name, token) for member in self.members())

    def lost(self, now_us: int, id: int) -> Member | None:
        """A connection broke: a member's place is kept. Returns the member; None for a remote."""
        member = self.by_id.get(id)
        if member is None or member.remote:
            self.by_id.pop(id, None)
            return None
        member.connected = False
        member.gone_us = now_us
        return member

    def leave(self, id: int) -> Member | None:
        """Somebody says goodbye. Returns the member; None for a remote."""
        member = self.by_id.pop(id, None)
        return None if member is None or member.remote else member

    def expire(self, now_us: int) -> list[Member]:
        """End the places that were kept long enough; returns whose."""
        over = [m for m in self._away() if now_us - m.gone_us >= self.keep_us]
        for member in over:
            del self.by_id[member.id]
        return over

    def next_end(self) -> int | None:
        """Room time at which the next kept place ends."""
        return min((m.gone_us + self.keep_us for m in self._away()), default=None)

    def members(self) -> list[Member]:
        """All but remotes, those that are away too."""
        return [m for m in self.by_id.values() if not m.remote]

    def names(self) -> set[str]:
        """The names of all members, those that are away too."""
        return {m.name for m in self.members()}

    def connected(self) -> list[str]:
        """The names of the members that are connected, in the order in which they came."""
        return [m.name for m in self.members() if m.connected]

    def voters(self) -> list[str]:
        """Those of them who may change the room: listeners may not."""
        return [m.name for m in self.members() if m.connected and m.role != "listener"]

    def role_of(self, name: str | None) -> Role:
        """A member's; who is none acts as a player."""
        return next((m.role for m in self.members() if m.name == name), "player")

    def is_host(self, name: str | None) -> bool:
        """Whether a member of this name is one of the room's hosts."""
        return any(m.role == "host" and m.name == name for m in self.members())

    def acting(self, id: int) -> str | None:
        """The member that a connection's messages count for; None for a remote that has none."""
        sender = self.by_id.get(id)
        if sender is not None and sender.remote:
            sender = self.member_with(sender.token)
        return None if sender is None else sender.name

    def named_by(self, token: str) -> str | None:
        """The member whose token it is; raises Refused if it is nobody's, and not empty."""
        member = self.member_with(token)
        if token and member is None:
            raise Refused("not_member", "this token is no member's of the room (any more)", "token")
        return None if member is None else member.name

    def message(self) -> Members:
        """The members as everybody is told."""
        return Members([m.info() for m in self.members()])

    def _away(self) -> list[Member]:
        return [m for m in self.members() if not m.connected]

    def member_with(self, token: str) -> Member | None:
        """The member whose token this is."""
        return next((m for m in self.members() if token and m.token == token), None)


def _same_place(member: Member, name: str, token: str) -> bool:
    """Whether a newcomer is this member: by its token, or by the name of one who is away."""
    if token and member.token == token:
        return True
    return not member.connected and member.name == name
