"""Puncher against Puncher on virtual time, through routers of every kind."""

import heapq
import itertools
import random
from collections.abc import Callable

from midipool.punching import Event, OfferOut, PathChanged, Puncher, Send
from midipool.stun import (
    SUCCESS,
    XOR_MAPPED_ADDRESS,
    Address,
    StunMessage,
    encode,
    parse,
    xor_mapped,
)

SERVERS = (("198.51.100.1", 3478), ("198.51.100.2", 3478))
KINDS = ("none", "full-cone", "port-restricted", "symmetric")
MS = 1000


class Router:
    """A router as RFC 4787 sorts them; "none" passes everything, unchanged."""

    def __init__(self, kind: str, outside: str) -> None:
        self.kind, self.outside = kind, outside
        self._ports = itertools.count(40_000)
        self._mapped: dict[tuple[Address, Address | None], int] = {}
        self._owners: dict[int, Address] = {}
        self._known: set[tuple[int, Address]] = set()

    def out(self, source: Address, to: Address) -> Address | None:
        if self.kind == "none":
            return source
        if self.kind == "blocked":
            return None
        key = (source, to if self.kind == "symmetric" else None)
        if key not in self._mapped:
            self._mapped[key] = next(self._ports)
            self._owners[self._mapped[key]] = source
        port = self._mapped[key]
        self._known.add((port, to))
        return self.outside, port

    def inwards(self, source: Address, port: int) -> Address | None:
        if self.kind != "full-cone" and (port, source) not in self._known:
            return None
        return self._owners.get(port)


class Member:
    """A puncher behind a router, and what it said."""

    def __init__(self, net: "Net", name: str, kind: str, number: int) -> None:
        self.net, self.name, self.number = net, name, number
        self.dead: set[Address] = set()  # what is sent to these gets lost
        self.changes: list[tuple[int, PathChanged]] = []
        self.sent: list[tuple[int, Send]] = []
        self.offers: list[OfferOut] = []
        self.move(kind)
        self.start()

    def move(self, kind: str) -> None:
        """Be behind another router."""
        self.number += 10
        public, private = f"203.0.113.{self.number}", f"10.0.{self.number}.2"
        self.router = Router(kind, public)
        self.at: Address = (public if kind == "none" else private, 5000)

    def start(self) -> None:
        """Begin with nothing known."""
        self.generation = self.net.now_us // MS + 1
        self.puncher = Puncher(
            self.net.now_us, [self.at], self.net.servers, self.generation, self.net.luck.randbytes
        )

    @property
    def path(self) -> Address | None:
        (other,) = [one for one in self.net.members if one != self.name]
        return self.puncher.path(other)[0]

    @property
    def reason(self) -> str:
        (other,) = [one for one in self.net.members if one != self.name]
        return self.puncher.path(other)[1]


class Net:
    """Members, STUN servers and a room, in virtual microseconds."""

    def __init__(self, *kinds: str, loss: float = 0.0, delay_us: int = 20 * MS, seed: int = 1):
        self.now_us, self.loss, self.delay_us = 0, loss, delay_us
        self.servers = SERVERS
        self.luck = random.Random(seed)
        self.room_passes: Callable[[OfferOut], bool] = lambda _: True
        self.room_delay_us = 30 * MS
        self._order = itertools.count()
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self.members: dict[str, Member] = {}
        for number, kind in enumerate(kinds, 1):
            self.members["ab"[number - 1]] = Member(self, "ab"[number - 1], kind, number)

    def meet(self) -> None:
        """Let the room tell each of the other."""
        a, b = self.members.values()
        self.do(a, a.puncher.joined("b", self.now_us))
        self.do(b, b.puncher.joined("a", self.now_us))

    def at(self, when_us: int, call: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (when_us, next(self._order), call))

    def run(self, for_us: int, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass until a condition holds; whether it came to."""
        end_us = self.now_us + for_us
        while not until():
            due_us = min(m.puncher.due_us(self.now_us) for m in self.members.values())
            next_us = min(due_us, self._queue[0][0] if self._queue else due_us)
            if next_us > end_us:
                self.now_us = end_us
                return until()
            self.now_us = max(next_us, self.now_us)
            while self._queue and self._queue[0][0] <= self.now_us:
                heapq.heappop(self._queue)[2]()
            for member in self.members.values():
                self.do(member, member.puncher.tick(self.now_us))
        return True

    def do(self, member: Member, events: list[Event]) -> None:
        for event in events:
            match event:
                case Send():
                    member.sent.append((self.now_us, event))
                    self._send(member, event)
                case OfferOut():
                    member.offers.append(event)
                    if self.room_passes(event):
                        self._pass_on(member, event)
                case PathChanged():
                    member.changes.append((self.now_us, event))

    def _pass_on(self, member: Member, event: OfferOut) -> None:
        to = self.members[event.member]
        self.at(
            self.now_us + self.room_delay_us,
            lambda: self.do(to, to.puncher.offer(member.name, event.offer, self.now_us)),
        )

    def _send(self, member: Member, send: Send) -> None:
        source = member.router.out(member.at, send.to)
        if source is None or send.to in member.dead or self.luck.random() < self.loss:
            return
        if send.to in self.servers:
            self._answer(source, send)
            return
        self.deliver(source, send.to, send.datagram)

    def _answer(self, source: Address, send: Send) -> None:
        request = parse(send.datagram)
        mapped = {XOR_MAPPED_ADDRESS: xor_mapped(source, request.transaction)}
        answer = encode(StunMessage(SUCCESS, request.transaction, mapped))
        if self.luck.random() >= self.loss:
            self.deliver(send.to, source, answer, 2 * self.delay_us)

    def deliver(
        self, source: Address, to: Address, datagram: bytes, after_us: int | None = None
    ) -> None:
        """Bring a datagram to whoever owns the address, then."""
        for member in self.members.values():
            inside: Address | None = member.at if to == member.at else None
            if inside is not None and member.router.kind != "none":
                continue  # a private address of elsewhere
            if to[0] == member.router.outside and member.router.kind != "none":
                inside = member.router.inwards(source, to[1])
            if inside == member.at:
                self.at(
                    self.now_us + (self.delay_us if after_us is None else after_us),
                    lambda to=member: self.do(  # type: ignore[misc]
                        to, to.puncher.datagram(source, datagram, self.now_us)
                    ),
                )
