"""What a room's access is made of, and what of it can be kept. Pure: plain data."""

import hashlib
from dataclasses import dataclass, field

from midipool.messages import Door, MemberKind, Role
from midipool_server.access.invitations import Invited
from midipool_server.access.passwords import PasswordHash

MOST_BANS = 256
MOST_GRANTED = 256


@dataclass(frozen=True, slots=True)
class Banned:
    """Who may not come in any more: by any of these that is not empty."""

    name: str
    token_digest: str = ""
    network: str = ""
    """An address, or a /64; empty where others of the room come from there too."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What somebody is here, also after having been away for long: known by the token."""

    name: str
    token_digest: str
    role: Role
    muted: bool = False


@dataclass(slots=True)
class AccessState:
    """All that a snapshot of a room needs: `RoomAccess.kept` gives it, `restore` takes it.

    The password is a hash, and tokens are digests: nobody gets in by what stands here.
    """

    password: PasswordHash | None = None
    door: Door = "open"
    bans: list[Banned] = field(default_factory=list)
    granted: list[Granted] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody who comes has shown, as the edge has checked it (gate.py)."""

    address: str = ""
    password: PasswordHash | None = None
    """The one that what was given matches."""
    invited: Invited | None = None
    """By whose signature, and for this room, it was checked."""
    kind: MemberKind = "player"
    """As it says itself."""


def digest_of(token: str) -> str:
    """Tells a token, without being one; empty for none."""
    return hashlib.sha256(f"midipool {token}".encode()).hexdigest()[:32] if token else ""
