"""Hostile datagrams at a relay, while a room goes on behind it."""

import contextlib
import dataclasses
import random
import socket
from collections.abc import Callable, Iterator

from midipool.media_datagram import MAX_DATAGRAM, MediaHeader, MediaKind
from midipool_native import media
from midipool_native.relay import Relay, RelayLimits

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
SEALED = media.seal(KEY, MediaHeader(MediaKind.SOURCE, 1, 7, 9, 5), bytes(200))
STUN_REQUEST = bytes.fromhex("000100002112a442") + bytes(12)
BURST = 100
NO_LIMITS = RelayLimits(packets_a_second=1_000_000_000, bits_a_second=2**31, burst_ms=10_000)
NOT_DROPPED = {"forwarded", "alone", "hellos", "stun", "copies", "unsent"}

Mutate = Callable[[bytes, random.Random], bytes]


def open_sealed(data: bytes) -> None:
    """As a member does it; nothing but what was sealed may open."""
    media.open_sealed(KEY, data)
    assert data == SEALED, "a forgery"


@contextlib.contextmanager
def room() -> Iterator["Room"]:
    """A relay with two members, and a stranger."""
    with contextlib.ExitStack() as stack:
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
        for sock in sockets:
            stack.enter_context(sock).bind(("127.0.0.1", 0))
            sock.settimeout(10)
        relay = Relay(sockets[0], 4, NO_LIMITS)
        stack.callback(relay.close)
        yield Room(relay, *sockets)


class Room:
    """Anna (1) and Bert (2) hear each other whatever the stranger sends."""

    def __init__(
        self,
        relay: Relay,
        served: socket.socket,
        anna: socket.socket,
        bert: socket.socket,
        stranger: socket.socket,
    ) -> None:
        self.relay = relay
        self.sent = 0
        self._address = served.getsockname()
        self._members = {1: anna, 2: bert}
        self._stranger = stranger
        self._counter = 0
        self._hellos = [self._make(sender, MediaKind.HELLO) for sender in self._members]
        for sender in self._members:
            relay.add(sender, 0, 1, KEY)
        self.still_plays()

    def attack(self, chance: random.Random, mutate: Mutate) -> None:
        """A burst of hostile datagrams, behind which the room must still play."""
        for _ in range(BURST):
            self._send(self._stranger, self._hostile(chance, mutate))
        self.still_plays()

    def still_plays(self) -> None:
        """Both are answered, and Bert gets what Anna sends, and nothing else."""
        for sender, sock in self._members.items():
            self._send(sock, self._make(sender, MediaKind.HELLO))
            header, _ = media.open_sealed(KEY, sock.recv(2000))
            assert (header.kind, header.sender) == (MediaKind.HELLO_OK, 0)
        played = self._make(1, MediaKind.SOURCE, b"played")
        self._send(self._members[1], played)
        assert self._members[2].recv(2000) == played

    def counts(self) -> dict[str, int]:
        """How many datagrams the relay passed on, and dropped for which reason."""
        return dataclasses.asdict(self.relay.stats())

    def summary(self) -> dict[str, int]:
        """In the terms of the other targets: taken, and refused."""
        counts = self.counts()
        refused = sum(n for reason, n in counts.items() if reason not in NOT_DROPPED)
        taken = sum(counts[name] for name in ("forwarded", "alone", "hellos", "stun"))
        assert taken + refused == self.sent, counts
        return {"decoded": taken, "refused": refused}

    def _hostile(self, chance: random.Random, mutate: Mutate) -> bytes:
        sender = chance.randrange(5)
        kind = chance.choice(list(MediaKind))
        match chance.randrange(6):
            case 0:
                return chance.randbytes(chance.randrange(MAX_DATAGRAM + 20))
            case 1:  # repeated
                return chance.choice(self._hellos)
            case 2:  # forged
                header = MediaHeader(kind, 1, sender, 2**40 + chance.randrange(2**40))
                return media.seal(OTHER_KEY, header, b"forged")
            case 3:  # genuine, from elsewhere
                return self._make(sender, MediaKind.SOURCE, b"stolen")
            case 4:
                return mutate(STUN_REQUEST, chance)[:2000]
            case _:
                return self._changed(self._make(sender, kind, b"changed"), chance)

    def _changed(self, data: bytes, chance: random.Random) -> bytes:
        """With a bit flipped, or cut."""
        if chance.random() < 0.5:
            return data[: chance.randrange(len(data))]
        at, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
        return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]

    def _make(self, sender: int, kind: MediaKind, payload: bytes = b"") -> bytes:
        self._counter += 1
        return media.seal(KEY, MediaHeader(kind, 1, sender, self._counter), payload)

    def _send(self, sock: socket.socket, data: bytes) -> None:
        self.sent += 1
        sock.sendto(data, self._address)
