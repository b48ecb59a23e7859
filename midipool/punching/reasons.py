"""Why media takes the path it takes, in words for people."""

from collections.abc import Iterable

from midipool.punching.offer import SRFLX, Candidate, is_ipv6
from midipool.stun import Address

TRYING = "relay: looking for a direct path"
WAITING = "relay: the other side has not said where it can be reached"
LOST = "relay: the direct path was lost; looking for another"
SILENT = "relay: nothing was heard on the direct path; looking for another"
ANEW = "relay: the other side began anew; looking for a direct path"
BLOCKED = "relay: UDP to others is blocked"
BOTH_SYMMETRIC = "relay: both routers give every destination another port (symmetric NAT)"
OURS_SYMMETRIC = (
    "relay: your router gives every destination another port (symmetric NAT), "
    "and the other lets in only whom it knows"
)
THEIRS_SYMMETRIC = (
    "relay: the other router gives every destination another port (symmetric NAT), "
    "and yours lets in only whom it knows"
)
NOTHING_ANSWERS = "relay: no address of the other side answers"


def direct(at: Address, round_trip_us: int) -> str:
    """Name a direct path: where to, and how far away."""
    host = f"[{at[0]}]" if is_ipv6(at) else at[0]
    return f"direct ({host}:{at[1]}, {round_trip_us / 1000:.1f} ms)"


def gives_every_destination_another_port(seen: Iterable[Address]) -> bool:
    """Whether a router shows itself as symmetric: one address, several ports, one socket."""
    distinct = set(seen)
    return len({address for address, _ in distinct}) < len(distinct)


def why_relay(seen: Iterable[Address], any_server_asked: bool, theirs: Iterable[Candidate]) -> str:
    """Why no direct path was found; `seen` is how STUN servers see us."""
    seen = list(seen)
    if any_server_asked and not seen:
        return BLOCKED
    ours = gives_every_destination_another_port(seen)
    other = gives_every_destination_another_port(one.at for one in theirs if one.kind == SRFLX)
    if ours and other:
        return BOTH_SYMMETRIC
    if ours:
        return OURS_SYMMETRIC
    return THEIRS_SYMMETRIC if other else NOTHING_ANSWERS
