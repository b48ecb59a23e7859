"""Finds and keeps the direct paths of one media socket to all other members of a room."""

from collections.abc import Callable, Sequence

from midipool.errors import InvalidDatagram
from midipool.punching.events import Event
from midipool.punching.gathering import Gathering
from midipool.punching.offer import (
    HOST,
    MAX_CANDIDATES,
    MAX_GENERATION,
    SRFLX,
    Candidate,
    Offer,
    candidate,
    check,
    is_ipv6,
)
from midipool.punching.remote import Remote
from midipool.punching.timing import Timing
from midipool.stun import REQUEST, SUCCESS, Address, parse

MAX_MEMBERS = 256
MAX_HOSTS = 10
GATHER_US = 300_000


class Puncher:
    """A state machine on given time: every call returns what to do, as events in order.

    `draw(n)` gives n random bytes that nobody can guess; `servers` are STUN servers, the room's
    first, two of them show a symmetric NAT; `hosts` are the socket's own addresses and port.
    `generation` is higher than any before, also over restarts: the wall clock's ms are fine.
    """

    def __init__(
        self,
        now_us: int,
        hosts: Sequence[Address],
        servers: Sequence[Address],
        generation: int,
        draw: Callable[[int], bytes],
        timing: Timing | None = None,
    ) -> None:
        self.rubbish = 0
        """Datagrams dropped that no member of ours sent, or that came too often."""
        self._draw, self._timing = draw, timing or Timing()
        self._hosts = tuple(hosts)[:MAX_HOSTS]
        self._generation = generation
        self._gathering = Gathering(servers, draw, self._timing, now_us)
        self._gather_until_us: int | None = now_us + GATHER_US
        self._remotes: dict[str, Remote] = {}
        self._by_ufrag: dict[str, Remote] = {}
        self._next_check_us = now_us

    def path(self, member: str) -> tuple[Address | None, str]:
        """Where media for a member goes (None: the relay), and why; raises KeyError."""
        return self._remotes[member].path, self._remotes[member].why

    @property
    def seen(self) -> list[Address]:
        """Where STUN servers see our socket."""
        return self._gathering.seen

    def joined(self, member: str, now_us: int) -> list[Event]:
        """A member is there, known or not; its path is the relay until another is found."""
        if member in self._remotes or len(self._remotes) >= MAX_MEMBERS:
            return []
        remote = Remote(member, self._families, self._draw, self._timing)
        self._remotes[member] = self._by_ufrag[remote.ufrag] = remote
        if self._gather_until_us is not None:
            return []
        return [remote.offer_out(self._generation, self._candidates(), now_us)]

    def left(self, member: str) -> None:
        """A member has left; unknown is fine."""
        remote = self._remotes.pop(member, None)
        if remote is not None:
            del self._by_ufrag[remote.ufrag]

    def offer(self, member: str, offer: Offer, now_us: int) -> list[Event]:
        """A member's offer has come through the room; raises InvalidValue, and changes nothing."""
        check(offer)
        events = self.joined(member, now_us)
        if member in self._remotes:
            events += self._remotes[member].offer_in(offer, now_us)
        return events

    def datagram(self, source: Address, datagram: bytes, now_us: int) -> list[Event]:
        """A datagram with the first byte of STUN has come; nothing in it is trusted."""
        try:
            message = parse(datagram)
        except InvalidDatagram:
            self.rubbish += 1
            return []
        events: list[Event] = []
        if message.kind == REQUEST:
            remote = self._by_ufrag.get((message.username or "").partition(":")[0])
            if remote is not None:
                events = remote.request(source, datagram, message, now_us)
            self.rubbish += not events
        elif self._gathering.answered(source, message, now_us):
            self._renew(now_us)
        elif message.kind == SUCCESS:
            for remote in self._remotes.values():
                events += remote.response(source, message, now_us)
        return events + self.tick(now_us)

    def addresses_changed(self, hosts: Sequence[Address], now_us: int) -> list[Event]:
        """The socket has other addresses; paths in use stay while they answer."""
        self._hosts = tuple(hosts)[:MAX_HOSTS]
        self._gathering.ask_anew(now_us)
        self._gather_until_us = now_us + GATHER_US
        for remote in self._remotes.values():
            remote.network_changed(self._families)
        return self.tick(now_us)

    def silent(self, member: str, now_us: int) -> list[Event]:
        """The engine hears nothing of a member on the direct path, or hears it by the relay.

        The relay is used at once, and the direct path again when it has answered three times.
        """
        remote = self._remotes.get(member)
        return (remote.silent() if remote else []) + self.tick(now_us)

    def tick(self, now_us: int) -> list[Event]:
        """Do all that is due."""
        events: list[Event] = [*self._gathering.tick(now_us)]
        ready_us = self._gather_until_us
        if ready_us is not None and (self._gathering.complete or now_us >= ready_us):
            self._gather_until_us = None
            self._generation = min(self._generation + 1, MAX_GENERATION)
            ours = self._candidates()
            for remote in self._remotes.values():
                events.append(remote.offer_out(self._generation, ours, now_us))
        for remote in self._remotes.values():
            events += remote.upkeep(self._gathering.seen, self._gathering.asked, now_us)
        return events + self._checks(now_us)

    def due_us(self, now_us: int) -> int:
        """When `tick` is next wanted, at the latest in a second; never before now."""
        every = [self._gathering.due_us(), self._gather_until_us]
        for remote in self._remotes.values():
            due_us = remote.due_us(now_us)
            every.append(None if due_us is None else max(due_us, self._next_check_us))
        return max(now_us, min((one for one in every if one is not None), default=now_us + 10**6))

    def _checks(self, now_us: int) -> list[Event]:
        """Checks that keep paths at once, and of those that look for paths one at a time."""
        events: list[Event] = []
        for remote in self._remotes.values():
            if remote.urgent(now_us) and (send := remote.check(now_us)):
                events.append(send)
        for name in list(self._remotes) if now_us >= self._next_check_us else []:
            remote = self._remotes.pop(name)
            self._remotes[name] = remote  # its turn is over
            if send := remote.check(now_us):
                self._next_check_us = now_us + self._timing.pace_us
                return [*events, send]
        return events

    @property
    def _families(self) -> frozenset[bool]:
        return frozenset(map(is_ipv6, self._hosts)) or frozenset({False})

    def _renew(self, now_us: int) -> None:
        """A server sees us elsewhere: tell everybody, soon, with the other servers' answers."""
        if self._gather_until_us is None:
            self._gather_until_us = now_us + GATHER_US
            for remote in self._remotes.values():
                remote.network_changed(self._families)

    def _candidates(self) -> tuple[Candidate, ...]:
        """Our addresses: of a NAT's several ports all, so that the others see what it does."""
        own = [candidate(HOST, at, index) for index, at in enumerate(self._hosts)]
        seen = [at for at in self._gathering.seen if at not in self._hosts]
        found = [candidate(SRFLX, at, index) for index, at in enumerate(seen)]
        return tuple([*own, *found][:MAX_CANDIDATES])
