"""What is between us and one other member: two offers, checks both ways, and a path."""

from collections import deque
from collections.abc import Callable

from midipool.punching import reasons
from midipool.punching.events import Event, OfferOut, PathChanged, Send
from midipool.punching.offer import Candidate, Offer, is_ipv6
from midipool.punching.pair import Pair
from midipool.punching.paths import Paths
from midipool.punching.timing import Timing
from midipool.stun import (
    PRIORITY,
    REQUEST,
    SUCCESS,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    Address,
    StunMessage,
    encode,
    xor_mapped,
)

REMEMBERED = 256
REQUESTS_PER_S = 100
OFFER_SPACING_US = 250_000
SECOND_US = 1_000_000


class Remote:
    """One other member; our `ufrag` and password towards it are known to no other member."""

    def __init__(
        self,
        name: str,
        families: frozenset[bool],
        draw: Callable[[int], bytes],
        timing: Timing,
    ) -> None:
        self.name, self.ufrag = name, draw(6).hex()
        self.reason = reasons.WAITING
        self.theirs: Offer | None = None
        self._pwd, self._draw, self._timing = draw(16).hex(), draw, timing
        self._families = families
        self._paths = Paths(timing)
        self._ours: Offer | None = None
        self._reoffer_us: int | None = None
        self._reoffered = 0
        self._held: Offer | None = None
        self._offers_from_us = 0
        self._remembered: deque[bytes] = deque(maxlen=REMEMBERED)
        self._budget, self._budget_at_us = float(REQUESTS_PER_S), 0

    @property
    def path(self) -> Address | None:
        """Where media goes; None is the relay."""
        return self._paths.in_use.at if self._paths.in_use else None

    @property
    def why(self) -> str:
        """Why media goes there, with the round trip as it is now."""
        in_use = self._paths.in_use
        return self.reason if in_use is None else reasons.direct(in_use.at, in_use.round_trip_us)

    def offer_out(self, generation: int, ours: tuple[Candidate, ...], now_us: int) -> OfferOut:
        """Say where we can be reached."""
        self._ours = Offer(generation, self.ufrag, self._pwd, ours)
        self._reoffered = 0
        return self._send_offer(self._ours, now_us)

    def offer_in(self, offer: Offer, now_us: int) -> list[Event]:
        """Take the member's newest offer; an older one than that is over."""
        newest = self._held or self.theirs
        if newest is not None and offer.generation <= newest.generation:
            return []
        if now_us < self._offers_from_us:  # a member who floods us gets no checks for it
            self._held = offer
            return []
        self._offers_from_us = now_us + OFFER_SPACING_US
        self._held = None
        before, self.theirs = self.theirs, offer
        events: list[Event] = []
        if before is not None and (before.ufrag, before.pwd) != (offer.ufrag, offer.pwd):
            self._paths.forget()
            self._say(reasons.ANEW, events)
        if before is None or before.ufrag != offer.ufrag:
            self._reoffered = 0
            if self._ours is not None:  # whoever began anew has not got it
                events.append(self._send_offer(self._ours, now_us))
        self._take_candidates(offer)
        if self.path is None and self.reason != reasons.ANEW:
            self._say(reasons.TRYING, events)
        return events

    def network_changed(self, families: frozenset[bool]) -> None:
        """Check every address again; the path in use stays while it answers.

        `families` says whether we have IPv4 (False), IPv6 (True) or both; no others are checked.
        """
        self._families = families
        if self.theirs is not None:
            self._take_candidates(self.theirs)

    def silent(self) -> list[Event]:
        """Nothing is heard on the direct path, although something is sent there."""
        events: list[Event] = []
        if self._paths.doubt():
            self._say(reasons.SILENT, events)
        return events

    def request(
        self, source: Address, datagram: bytes, message: StunMessage, now_us: int
    ) -> list[Event]:
        """Answer a check of the member, if it is one."""
        if not self._may_ask(now_us) or not message.verified(self._pwd):
            return []
        if message.transaction in self._remembered:  # replayed; every check of ours is a new one
            return []
        theirs = self.theirs
        if theirs is not None and message.username != f"{self.ufrag}:{theirs.ufrag}":
            return []
        self._remembered.append(message.transaction)
        self._reoffer_us = None  # it has our offer
        mapped = {XOR_MAPPED_ADDRESS: xor_mapped(source, message.transaction)}
        answer = encode(StunMessage(SUCCESS, message.transaction, mapped), self._pwd)
        if theirs is not None:
            self._paths.learn(source, len(datagram))
            pair = self._paths.get(source)
            assert pair is not None
            pair.sent_bytes += len(answer)
        return [Send(source, answer)]

    def response(self, source: Address, message: StunMessage, now_us: int) -> list[Event]:
        """Note an answer to a check of ours, if it is one."""
        pair = self._paths.get(source)
        events: list[Event] = []
        if pair is None or self.theirs is None or not message.verified(self.theirs.pwd):
            return events
        if pair.answered(message.transaction, now_us) and self._paths.choose(now_us):
            self._say(reasons.direct(source, pair.round_trip_us), events)
        return events

    def upkeep(self, seen: list[Address], asked: bool, now_us: int) -> list[Event]:
        """Do all that is due but checks; `seen` is how STUN servers see us, if `asked`."""
        events: list[Event] = []
        if self._held is not None and now_us >= self._offers_from_us:
            held, self._held = self._held, None
            events += self.offer_in(held, now_us)
        if self._reoffer_us is not None and now_us >= self._reoffer_us and self._ours:
            self._reoffered += 1
            events.append(self._send_offer(self._ours, now_us))
        if self._paths.lost(now_us):
            self._paths.choose(now_us)
            self._say(reasons.LOST, events)
        if self.theirs is not None and self.path is None and self._paths.exhausted(now_us):
            self._paths.rest(now_us)
            self._say(reasons.why_relay(seen, asked, self.theirs.candidates), events)
        return events

    def check(self, now_us: int) -> Send | None:
        """Make the check that is due, if one is."""
        pair = self._paths.due(now_us)
        if pair is None or self.theirs is None:
            return None
        transaction = self._draw(12)
        username = f"{self.theirs.ufrag}:{self.ufrag}".encode()
        attributes = {USERNAME: username, PRIORITY: pair.priority.to_bytes(4, "big")}
        datagram = encode(StunMessage(REQUEST, transaction, attributes), self.theirs.pwd)
        if not pair.may_get(len(datagram)):
            pair.attempts, pair.sent_us = len(self._timing.retransmits_us) + 1, now_us
            return None
        pair.sent(transaction, len(datagram), now_us)
        return Send(pair.at, datagram)

    def urgent(self, now_us: int) -> bool:
        """Whether the check that is due keeps a path that works."""
        pair = self._paths.due(now_us)
        return pair is not None and pair.works

    def due_us(self, now_us: int) -> int | None:
        """When something is next due."""
        path: Pair | None = self._paths.in_use
        lost_us = None
        if path is not None and path.answered_us is not None:
            lost_us = path.answered_us + self._timing.lost_us + 1
        held_us = self._offers_from_us if self._held else None
        checks_us = self._paths.due_us(now_us) if self.theirs else None
        every = [self._reoffer_us, held_us, lost_us, checks_us]
        return min((one for one in every if one is not None), default=None)

    def _take_candidates(self, offer: Offer) -> None:
        self._paths.offered(one for one in offer.candidates if is_ipv6(one.at) in self._families)

    def _send_offer(self, offer: Offer, now_us: int) -> OfferOut:
        self._reoffer_us = None
        if self._reoffered < self._timing.reoffers:
            self._reoffer_us = now_us + (self._timing.reoffer_us << self._reoffered)
        return OfferOut(self.name, offer)

    def _say(self, reason: str, events: list[Event]) -> None:
        if reason != self.reason:
            self.reason = reason
            events.append(PathChanged(self.name, self.path, reason))

    def _may_ask(self, now_us: int) -> bool:
        """Whether the member stays below 100 checks a second."""
        earned = (now_us - self._budget_at_us) * REQUESTS_PER_S / SECOND_US
        self._budget = min(REQUESTS_PER_S, self._budget + earned)
        self._budget_at_us = now_us
        if self._budget < 1:
            return False
        self._budget -= 1
        return True
