"""Direct paths between members behind routers: ICE's checks for one socket, without its roles.

Each side checks all addresses of the other at once, and sends where the best answer came from;
the relay of the server is the path whenever there is none better. An answered check proves both
directions, so that neither side has to nominate anything.
"""

from midipool.punching.events import Event, OfferOut, PathChanged, Send
from midipool.punching.offer import Candidate, Offer, candidate
from midipool.punching.puncher import Puncher
from midipool.punching.timing import Timing

__all__ = [
    "Candidate",
    "Event",
    "Offer",
    "OfferOut",
    "PathChanged",
    "Puncher",
    "Send",
    "Timing",
    "candidate",
]
