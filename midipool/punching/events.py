"""What a puncher wants done: bytes sent, paths taken, offers passed on."""

from dataclasses import dataclass

from midipool.punching.offer import Offer
from midipool.stun import Address


@dataclass(frozen=True, slots=True)
class Send:
    """Send a datagram from the media socket."""

    to: Address
    datagram: bytes


@dataclass(frozen=True, slots=True)
class PathChanged:
    """Media for a member goes to `path` from now on, None is the relay; `reason` is for people."""

    member: str
    path: Address | None
    reason: str


@dataclass(frozen=True, slots=True)
class OfferOut:
    """Pass an offer on to a member, through the room."""

    member: str
    offer: Offer


Event = Send | PathChanged | OfferOut
