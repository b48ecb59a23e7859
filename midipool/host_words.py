"""What hosts of a room type into the chat: `/kick bert`. Pure."""

from collections.abc import Callable
from typing import get_args

from midipool.errors import InvalidValue
from midipool.messages import (
    Admit,
    Ban,
    Door,
    GiveRole,
    HostCommand,
    Kick,
    Mute,
    Role,
    SetDoor,
    TurnAway,
    Unban,
)

HELP = (
    "hosts also: /kick NAME, /ban NAME, /unban NAME, /mute NAME, /unmute NAME, "
    "/role NAME host|player|listener, /lock, /unlock, /door open|ask|locked, /admit NAME, "
    "/turn-away NAME"
)
DOORS, ROLES = get_args(Door), get_args(Role)


def _named(name: str) -> str:
    """A name may have spaces, so all behind the command is one."""
    if not name:
        raise InvalidValue("member", "say whom: /kick NAME")
    return name


def _role(id: int, rest: str) -> HostCommand:
    name, _, role = rest.rpartition(" ")
    if role not in ROLES:
        raise InvalidValue("role", "say whom, and as what: /role NAME host, player or listener")
    return GiveRole(id=id, member=_named(name.strip()), role=role)  # type: ignore[arg-type]


def _door(id: int, rest: str) -> HostCommand:
    if rest not in DOORS:
        raise InvalidValue("door", f"is one of {', '.join(DOORS)}")
    return SetDoor(id=id, door=rest)  # type: ignore[arg-type]


COMMANDS: dict[str, Callable[[int, str], HostCommand]] = {
    "kick": lambda id, rest: Kick(id=id, member=_named(rest)),
    "ban": lambda id, rest: Ban(id=id, member=_named(rest)),
    "unban": lambda id, rest: Unban(id=id, member=_named(rest)),
    "mute": lambda id, rest: Mute(id=id, member=_named(rest)),
    "unmute": lambda id, rest: Mute(id=id, member=_named(rest), muted=False),
    "role": _role,
    "door": _door,
    "lock": lambda id, rest: SetDoor(id=id, door="locked"),
    "unlock": lambda id, rest: SetDoor(id=id, door="open"),
    "admit": lambda id, rest: Admit(id=id, member=_named(rest)),
    "turn-away": lambda id, rest: TurnAway(id=id, member=_named(rest)),
}
