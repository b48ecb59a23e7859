"""Whether somebody may come in, and as what. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from midipool.errors import Refused
from midipool.messages import MODULE_KINDS, Role
from midipool_server.access.guessing import network_of
from midipool_server.access.invitations import Uses
from midipool_server.access.roles import lower
from midipool_server.access.state import AccessState, Banned, Entry, Granted, digest_of
from midipool_server.places import Member


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody at the door."""

    id: int
    """Of the connection."""
    name: str
    token: str
    remote: bool
    new_token: str
    capabilities: frozenset[str] = frozenset()
    entry: Entry = Entry()  # noqa: RUF009 (immutable)


class Verdict(NamedTuple):
    """What becomes of a newcomer who was not refused."""

    role: Role
    how: str
    """For the audit log."""
    muted: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True)
class House:
    """The room as it is when somebody comes."""

    room: str
    state: AccessState
    members: list[Member]
    uses: Uses
    invited_only: bool


def judged(house: House, who: Newcomer) -> Verdict:
    """What becomes of who comes; raises Refused."""
    own = next((m for m in house.members if who.token and m.token == who.token), None)
    if own is not None:
        return Verdict(own.role, "token", own.muted)
    _check_ban(house, who)
    granted = _granted(house.state, who.token)
    invited = who.entry.invited
    if invited is not None:
        away = _away(house, who)
        if away is None or away.invitation != invited.id:
            house.uses.check(invited, digest_of(who.token) or None)
        return _as_before(house, who, Verdict(invited.role, "invitation"))
    if granted is not None and not who.remote:
        return Verdict(granted.role, "token", granted.muted)
    how = _check_credentials(house, who)
    if house.state.door == "locked":
        raise Refused("door_locked", f"the hosts of room {house.room!r} let in nobody new now")
    if house.state.door == "ask":
        if who.remote:
            text = f"room {house.room!r} lets in who its hosts admit: run this where you joined"
            raise Refused("door_locked", text)
        return Verdict("player", how, waits=True)
    is_module = who.entry.kind in MODULE_KINDS
    if who.remote or is_module or house.members or _has_granted_host(house.state):
        return _as_before(house, who, Verdict("player", how))
    return Verdict("host", how)


def _check_ban(house: House, who: Newcomer) -> None:
    digest, network = digest_of(who.token), network_of(who.entry.address)
    for ban in house.state.bans:
        if _fits(ban, who.name, digest, network):
            raise Refused("banned", f"a host of room {house.room!r} has banned you")


def _fits(ban: Banned, name: str, digest: str, network: str) -> bool:
    same_token = bool(digest) and ban.token_digest == digest
    return ban.name == name or same_token or (bool(network) and ban.network == network)


def _check_credentials(house: House, who: Newcomer) -> str:
    """How somebody without an invitation may come in; raises Refused."""
    if house.state.password is not None:
        if who.entry.password == house.state.password:
            return "password"
        text = f"room {house.room!r} has a password: give it, or an invitation"
        raise Refused("password_needed", text, "password")
    if house.invited_only:
        text = "this server lets in who was invited: join with the link that you were given"
        raise Refused("invitation_needed", text, "invitation")
    return "open"


def _as_before(house: House, who: Newcomer, verdict: Verdict) -> Verdict:
    """Whoever takes an away member's place by its name alone has no more rights than both, and
    stays muted; an invitation's role holds."""
    if any(granted.muted and granted.name == who.name for granted in house.state.granted):
        verdict = verdict._replace(muted=True)
    away = _away(house, who)
    if away is None:
        return verdict
    role = verdict.role if verdict.how == "invitation" else lower(verdict.role, away.role)
    return Verdict(role, verdict.how, away.muted or verdict.muted)


def _away(house: House, who: Newcomer) -> Member | None:
    """The member whose place is taken again by its name."""
    if who.remote:
        return None
    return next((m for m in house.members if not m.connected and m.name == who.name), None)


def _granted(state: AccessState, token: str) -> Granted | None:
    digest = digest_of(token)
    return next((g for g in state.granted if digest and g.token_digest == digest), None)


def _has_granted_host(state: AccessState) -> bool:
    return any(granted.role == "host" for granted in state.granted)
