"""What a room's access gets from outside: what all rooms share, keys and randomness. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from midipool.errors import Refused
from midipool_server.access.invitations import Uses
from midipool_server.access.revoked import Revoked


def _no_key() -> bytes:
    raise Refused("bad_value", "this server makes no invitations")


@dataclass(slots=True)
class Means:
    """Of a server."""

    invited_only: bool = False
    """Nobody comes in without an invitation, but into rooms whose password they know."""
    uses: Uses = field(default_factory=Uses)
    key: Callable[[], bytes] = _no_key
    """With which invitations are signed; raises Refused, Unavailable."""
    new_id: Callable[[], str] = lambda: "0"
    """Names an invitation."""
    revoked: Revoked = field(default_factory=Revoked)
