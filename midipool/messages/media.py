"""How members hear each other: the room's key, and where each can be reached over UDP."""

import ipaddress
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from midipool.errors import InvalidValue
from midipool.messages.fields import Message, Name

MAX_CANDIDATES = 16
ADDRESS_RULE = "an IPv4 or IPv6 address, without a zone"
UFRAG_RULE = "4 to 32 letters, digits, `+` or `/`"
PWD_RULE = "22 to 64 letters, digits, `+` or `/`"
KEY_RULE = "64 hexadecimal digits"

Ufrag = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{4,32}$(?!\n)", description=UFRAG_RULE)]
Pwd = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{22,64}$(?!\n)", description=PWD_RULE)]
Key = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description=KEY_RULE)]
KeyId = Annotated[int, Meta(ge=0, le=0xFFFF)]
SenderId = Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
Port = Annotated[int, Meta(ge=1, le=0xFFFF)]
Generation = Annotated[int, Meta(ge=0, le=2**53)]


class MediaSeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member needs to send and open media datagrams."""

    port: Port
    """UDP port, on the server's host, of the relay; it answers STUN too."""
    key_id: KeyId
    """Names the key in datagrams."""
    key: Key
    """The room's key."""
    sender: SenderId
    """The member's own id in datagrams. A new one for each `hello`, and never used again."""
    stun_port: Port | None = None
    """Another UDP port that answers STUN: seen differently by the two, a member's router is a
    symmetric NAT."""


class MediaKey(Message, tag="media_key", frozen=True):
    """The room's new key: somebody has left. Datagrams are sealed with it from now on."""

    key_id: KeyId
    """Names the key in datagrams."""
    key: Key
    """The room's key."""


class MediaCandidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A transport address at which a member may be reached over UDP."""

    kind: Literal["host", "srflx", "relay"]
    """Its own, the one that a STUN server saw, or one that relays."""
    address: Annotated[str, Meta(min_length=2, max_length=45)]
    port: Port
    """UDP port."""
    priority: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    """The higher, the sooner it is tried."""

    def __post_init__(self) -> None:
        """Raises InvalidValue."""
        try:
            zone = getattr(ipaddress.ip_address(self.address), "scope_id", None)
        except ValueError:
            zone = ""
        if zone is not None:
            raise InvalidValue("address", f"must be {ADDRESS_RULE}")


class _Offer(Message, frozen=True):
    """What two members tell each other before they look for a path."""

    generation: Generation
    """Rises whenever the member begins anew; what belongs to a lower one is over."""
    ufrag: Ufrag
    """Names the member in STUN checks."""
    pwd: Pwd
    """Protects STUN checks that the member gets."""
    candidates: Annotated[list[MediaCandidate], Meta(max_length=MAX_CANDIDATES)]
    """In any order."""


class MediaOffer(_Offer, tag="media_offer", frozen=True, kw_only=True):
    """Where a member can be reached, for one other; has no answer but `error`."""

    to: Name
    """Which member."""


class MediaOfferFrom(_Offer, tag="media_offer_from", frozen=True, kw_only=True):
    """Where another member can be reached."""

    name: Name
    """Who."""
