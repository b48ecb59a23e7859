"""Where members can be reached, passed from one to the other. Pure."""

from collections.abc import Mapping

from midipool.errors import Refused
from midipool.messages import MediaOffer, MediaOfferFrom, Message
from midipool_server.feature import Feature, Handler
from midipool_server.floor import Floor
from midipool_server.outgoing import Outgoing


class Offers(Feature):
    """Each offer is for one member."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def handlers(self) -> Mapping[type[Message], Handler]:
        """Where a member can be reached."""
        return {MediaOffer: self._pass_on}

    def _pass_on(self, now_us: int, id: int, offer: MediaOffer) -> list[Outgoing]:
        """The message for the other member."""
        sender = self._floor.member(id, "a remote sends and hears no audio: join as a member")
        members = self._floor.places.members()
        to = next((m for m in members if m.connected and m.name == offer.to), None)
        if to is None or to is sender:
            text = f"no other member named {offer.to!r} is connected"
            raise Refused("no_such_member", text, "to")
        passed = MediaOfferFrom(
            name=sender.name,
            generation=offer.generation,
            ufrag=offer.ufrag,
            pwd=offer.pwd,
            candidates=offer.candidates,
        )
        return [Outgoing(passed, to.id)]
