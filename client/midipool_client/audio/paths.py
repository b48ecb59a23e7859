"""Where our datagrams go: to each member directly if hole punching finds a way, else by the relay.

Pure but for chance: it takes time as an argument, and returns what to tell the engine and the room.
"""

import secrets
from collections.abc import Collection, Iterable, Sequence

from midipool.errors import InvalidValue
from midipool.messages import MediaCandidate, MediaOffer, MediaOfferFrom
from midipool.punching import Candidate, Event, Offer, OfferOut, PathChanged, Puncher
from midipool.punching import Send as SendRaw
from midipool_client.audio.engine_messages import Address, Raw, Way, Ways

# Both ways are used for so long when a better one was found.
OVERLAP_US = 500_000
# The engine has sent by the relay too since the first few packets were missing (media_watch.c).
SILENT_US = 250_000
# Silence from before a path was found says nothing about it; when it is longer, the other one has
# not taken the path, or has left it.
SETTLED_US = 1_000_000
GONE_US = 2_500_000


class MediaPaths:
    """The paths of one media socket. What returns messages returns them in order."""

    def __init__(
        self,
        hosts: Sequence[Address],
        relay: Address,
        generation: int,
        now_us: int,
        stun: Sequence[Address] = (),
    ) -> None:
        """`hosts` are the socket's own addresses, `generation` is higher than any before.

        STUN is answered by the relay, and at `stun`.
        """
        self._relay = relay
        self._hosts = list(hosts)
        self._puncher = Puncher(now_us, hosts, [relay, *stun], generation, secrets.token_bytes)
        self._direct: dict[str, Address | None] = {}
        self._since_us: dict[str, int] = {}
        self._left_relay = False
        self._listeners: frozenset[str] | None = None

    def ways(self) -> Ways:
        """Where to send now."""
        paths = [to for name, to in self._direct.items() if self._is_listener(name)]
        direct = dict.fromkeys(to for to in paths if to is not None)
        ways = [Way(to) for to in direct]
        if self._listeners is not None and not paths:
            return Ways([], self._relay)
        if not direct or None in paths:
            ways.append(Way(self._relay))
        elif self._left_relay:
            ways.append(Way(self._relay, OVERLAP_US))
        return Ways(ways, self._relay)

    def send_to(self, listeners: frozenset[str] | None) -> list[Ways]:
        """Only these hear us; None is everybody. Paths are found and kept to all."""
        before, self._listeners = self._listeners, listeners
        return [] if before == listeners else [self.ways()]

    def _is_listener(self, member: str) -> bool:
        return self._listeners is None or member in self._listeners

    def reason(self, member: str) -> str:
        """Why a member's path is what it is, for people."""
        try:
            return self._puncher.path(member)[1]
        except KeyError:
            return ""

    def direct(self, member: str) -> Address | None:
        """Where we send to a member directly; None is by the relay."""
        return self._direct.get(member)

    def heard(self, member: str, silence_us: int, now_us: int) -> list[Raw | Ways | MediaOffer]:
        """A member was heard directly so long ago: too long is no path."""
        settled = now_us - self._since_us.get(member, now_us) >= SETTLED_US
        if self.direct(member) and settled and SILENT_US <= silence_us < GONE_US:
            return self.silent(member, now_us)
        return []

    def members(self, names: Collection[str], now_us: int) -> list[Raw | Ways | MediaOffer]:
        """Who is connected now."""
        before = dict(self._direct)
        for name in [name for name in self._direct if name not in names]:
            self._puncher.left(name)
            del self._direct[name]
        events: list[Event] = []
        for name in names:
            if name not in self._direct:
                self._direct[name] = None
                events += self._puncher.joined(name, now_us)
        return self._follow(events, before, now_us)

    def offered(self, offer: MediaOfferFrom, now_us: int) -> list[Raw | Ways | MediaOffer]:
        """A member says where it can be reached; what no member of ours says is left out."""
        candidates = tuple(
            Candidate(c.kind, c.address, c.port, c.priority) for c in offer.candidates
        )
        said = Offer(offer.generation, offer.ufrag, offer.pwd, candidates)
        try:
            events = self._puncher.offer(offer.name, said, now_us)
            return self._follow(events, self._direct, now_us)
        except InvalidValue:
            return []

    def came(self, source: Address, datagram: bytes, now_us: int) -> list[Raw | Ways | MediaOffer]:
        """A STUN message."""
        return self._follow(self._puncher.datagram(source, datagram, now_us), self._direct, now_us)

    def silent(self, member: str, now_us: int) -> list[Raw | Ways | MediaOffer]:
        """A member that we should hear directly is not heard."""
        return self._follow(self._puncher.silent(member, now_us), self._direct, now_us)

    def addresses(self, hosts: Sequence[Address], now_us: int) -> list[Raw | Ways | MediaOffer]:
        """The socket's own addresses, as often as one looks."""
        if list(hosts) == self._hosts:
            return []
        self._hosts = list(hosts)
        return self._follow(self._puncher.addresses_changed(hosts, now_us), self._direct, now_us)

    def tick(self, now_us: int) -> list[Raw | Ways | MediaOffer]:
        """Do what is due."""
        return self._follow(self._puncher.tick(now_us), self._direct, now_us)

    def due_us(self, now_us: int) -> int:
        """When `tick` is wanted next."""
        return self._puncher.due_us(now_us)

    def _follow(
        self, events: Iterable[Event], before: dict[str, Address | None], now_us: int
    ) -> list[Raw | Ways | MediaOffer]:
        before = dict(before)
        out: list[Raw | Ways | MediaOffer] = []
        for event in events:
            match event:
                case SendRaw(to=to, datagram=datagram):
                    out.append(Raw(to, datagram))
                case OfferOut(member=member, offer=offer):
                    out.append(_message(member, offer))
                case PathChanged(member=member, path=path):
                    if member in self._direct:
                        if path != self._direct[member]:
                            self._since_us[member] = now_us
                        self._direct[member] = path
        if self._direct != before:
            self._left_relay = not before or None in before.values()
            out.append(self.ways())
        return out


def _message(member: str, offer: Offer) -> MediaOffer:
    candidates = [
        MediaCandidate("host" if c.kind == "host" else "srflx", c.address, c.port, c.priority)
        for c in offer.candidates
    ]
    return MediaOffer(
        to=member,
        generation=offer.generation,
        ufrag=offer.ufrag,
        pwd=offer.pwd,
        candidates=candidates,
    )
