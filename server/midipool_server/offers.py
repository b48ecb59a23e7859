"""Where members can be reached, passed from one to the other. Pure."""

from midipool.errors import Refused
from midipool.messages import MediaOffer, MediaOfferFrom
from midipool_server.places import Places


def pass_on(places: Places, id: int, offer: MediaOffer) -> tuple[MediaOfferFrom, int]:
    """The message for the other member, and the id of its connection; raises Refused."""
    sender = places.by_id.get(id)
    if sender is None or sender.remote:
        raise Refused("not_member", "a remote sends and hears no audio: join as a member")
    to = next((m for m in places.members() if m.connected and m.name == offer.to), None)
    if to is None or to is sender:
        raise Refused("no_such_member", f"no other member named {offer.to!r} is connected", "to")
    passed = MediaOfferFrom(
        name=sender.name,
        generation=offer.generation,
        ufrag=offer.ufrag,
        pwd=offer.pwd,
        candidates=offer.candidates,
    )
    return passed, to.id
