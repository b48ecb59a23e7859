"""Who may change a room: everybody, its leader, a majority, or nobody. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from midipool.errors import InvalidValue, Refused
from midipool.messages import Mode, RoomMode, SetMode

HOW_TO_ACT = "join the room, or run this where you joined it"


@dataclass(frozen=True, slots=True)
class Authority:
    """A room's mode. An *actor* is a member's name; None is a remote that acts for nobody."""

    mode: Mode = "open"
    leader: str | None = None
    locked_by: str | None = None
    awaited_until_us: int = 0
    """Until then, a leader or locker that is not in the room is one that will come back."""

    def message(self) -> RoomMode:
        """The mode as everybody is told."""
        return RoomMode(mode=self.mode, leader=self.leader, locked_by=self.locked_by)

    def check_command(self, actor: str | None, names: Collection[str], now_us: int) -> None:
        """Raise Refused unless the actor may change the transport. A vote is not held here.

        `names` are those of all members whose place is held or kept.
        """
        if self.mode == "locked":
            raise self._locked(names, now_us)
        if self.mode == "leader" and actor != self.leader:
            raise self._not_leader(names, now_us)
        if self.mode == "vote":
            check_voter(actor)

    def check_mode(
        self,
        command: SetMode,
        actor: str | None,
        names: Collection[str],
        now_us: int,
        is_host: bool = False,
    ) -> None:
        """Raise Refused unless the actor may set this mode, InvalidValue if nobody can.

        A host of the room may, whoever leads or locked it, but while they are awaited.
        """
        if self.mode == "vote":
            check_voter(actor)
        owner = self.leader or self.locked_by
        may_anyway = is_host and now_us >= self.awaited_until_us
        if owner is not None and actor != owner and not may_anyway:
            if not self._has_left(owner, names, now_us):
                left = names, now_us
                raise self._locked(*left) if self.mode == "locked" else self._not_leader(*left)
            if actor is None:
                text = f"{owner} has left, and only a member sets another mode: {HOW_TO_ACT}"
                raise Refused("not_member", text)
        if command.mode == "locked" and actor is None:
            raise Refused("not_member", f"only a member can lock the room: {HOW_TO_ACT}")
        if command.mode == "leader" and command.leader is None:
            raise InvalidValue("leader", "say who leads: `mode leader NAME`")
        if command.mode != "leader" and command.leader is not None:
            raise InvalidValue("leader", f"goes with mode `leader`, not with `{command.mode}`")
        if command.leader is not None and command.leader not in names:
            raise InvalidValue("leader", f"nobody named {command.leader!r} is in the room")

    def changed(self, command: SetMode, actor: str | None) -> "Authority":
        """The authority after a mode was set by the actor."""
        locked_by = actor if command.mode == "locked" else None
        return Authority(command.mode, command.leader, locked_by)

    def renamed(self, old: str, new: str) -> "Authority":
        """The authority after a member came back under another name."""
        return replace(
            self,
            leader=new if self.leader == old else self.leader,
            locked_by=new if self.locked_by == old else self.locked_by,
        )

    def _has_left(self, owner: str, names: Collection[str], now_us: int) -> bool:
        return owner not in names and now_us >= self.awaited_until_us

    def _not_leader(self, names: Collection[str], now_us: int) -> Refused:
        leader = str(self.leader)
        if self._has_left(leader, names, now_us):
            text = f"{leader} led this room and has left: set another mode (room URL mode open)"
        else:
            text = f"{leader} leads this room: ask {leader} to hand over"
            text += " (room URL mode leader NAME)"
        return Refused("not_leader", text)

    def _locked(self, names: Collection[str], now_us: int) -> Refused:
        locker = str(self.locked_by)
        if self._has_left(locker, names, now_us):
            text = f"{locker} locked this room and has left: set another mode (room URL mode open)"
        else:
            text = f"{locker} locked this room: nothing changes until {locker} opens it"
            text += " (room URL mode open)"
        return Refused("locked", text)


def taken_over(
    mode: Mode, leader: str | None, locked_by: str | None, awaited_until_us: int
) -> Authority:
    """The authority that a member heard of last; raises InvalidValue.

    Members come back one by one: a leader counts as away, not as gone, for a while.
    """
    if mode == "leader" and leader is None:
        raise InvalidValue("leader", "must be given with mode `leader`")
    if mode == "locked" and locked_by is None:
        raise InvalidValue("locked_by", "must be given with mode `locked`")
    return Authority(
        mode,
        leader if mode == "leader" else None,
        locked_by if mode == "locked" else None,
        awaited_until_us,
    )


def check_voter(actor: str | None) -> str:
    """The member who proposes or votes; raises Refused if it is none."""
    if actor is None:
        raise Refused("not_member", f"this room votes, and only its members do: {HOW_TO_ACT}")
    return actor
