"""What members tell each other through the room before they can talk: where they may be reached."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from midipool.errors import InvalidValue
from midipool.stun import Address

HOST, SRFLX, PRFLX, RELAY = "host", "srflx", "prflx", "relay"
# RFC 8445 5.1.2.2
TYPE_PREFERENCE = {HOST: 126, PRFLX: 110, SRFLX: 100, RELAY: 0}
MAX_CANDIDATES = 16
MAX_GENERATION = 2**53
UFRAG = re.compile(r"[A-Za-z0-9+/]{4,32}")
PWD = re.compile(r"[A-Za-z0-9+/]{22,64}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One address somebody may be reached at, and how it was found."""

    kind: str
    address: str
    port: int
    priority: int

    @property
    def at(self) -> Address:
        """Where to send to."""
        return self.address, self.port


@dataclass(frozen=True, slots=True)
class Offer:
    """How one member may be reached by one other; a later one has a higher `generation`.

    Generations rise over restarts too, so that an old offer that comes late is told from a new.
    """

    generation: int
    ufrag: str
    pwd: str
    candidates: tuple[Candidate, ...]


def candidate(kind: str, at: Address, index: int = 0) -> Candidate:
    """Make a candidate; `index` orders those of one kind, the first is preferred."""
    preference = TYPE_PREFERENCE[kind] << 24 | max(0, 65535 - index) << 8 | 255
    return Candidate(kind, at[0], at[1], preference)


def is_ipv6(at: Address) -> bool:
    """Whether an address is of IPv6."""
    return ":" in at[0]


def check(offer: Offer) -> None:
    """Refuse an offer that no member of ours makes; raises InvalidValue."""
    if not 0 <= offer.generation <= MAX_GENERATION:
        raise InvalidValue("generation", f"0 to 2^53, not {offer.generation}")
    if not UFRAG.fullmatch(offer.ufrag):
        raise InvalidValue("ufrag", "4 to 32 letters, digits, + or /")
    if not PWD.fullmatch(offer.pwd):
        raise InvalidValue("pwd", "22 to 64 letters, digits, + or /")
    if len(offer.candidates) > MAX_CANDIDATES:
        raise InvalidValue("candidates", f"at most {MAX_CANDIDATES}, not {len(offer.candidates)}")
    for one in offer.candidates:
        _check_candidate(one)


def _check_candidate(one: Candidate) -> None:
    if one.kind not in TYPE_PREFERENCE:
        raise InvalidValue("candidates.kind", f"host, srflx, prflx or relay, not {one.kind!r}")
    if not 0 < one.port < 65536:
        raise InvalidValue("candidates.port", f"1 to 65535, not {one.port}")
    try:
        address = ip_address(one.address)
    except ValueError:
        raise InvalidValue("candidates.address", "an IPv4 or IPv6 address") from None
    # A check sent there would reach many, or ourselves.
    if address.is_multicast or address.is_unspecified or one.address == "255.255.255.255":
        raise InvalidValue("candidates.address", f"an address of one host, not {one.address}")
