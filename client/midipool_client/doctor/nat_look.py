"""Asks STUN servers from one socket how it is seen, and whether others can reach it."""

import secrets
import socket
import time
from collections.abc import Sequence

from midipool.errors import InvalidDatagram, Unavailable
from midipool.stun import (
    OTHER_ADDRESS,
    REQUEST,
    SUCCESS,
    Address,
    StunMessage,
    encode,
    parse,
    plain_address,
)
from midipool_client.audio.addresses import local_addresses
from midipool_client.doctor.nat import NatLook

CHANGE_REQUEST = 0x0003
CHANGE_IP_AND_PORT, CHANGE_PORT = (bytes([0, 0, 0, flags]) for flags in (6, 2))
TRIES, WAIT_S = 3, 0.4
MAX_BYTES = 2048


class NatLooking:
    """One socket, of one family of addresses."""

    def __init__(self, servers: Sequence[Address]) -> None:
        """`servers` are numeric; raises OSError."""
        self._servers = list(servers)
        family = socket.AF_INET6 if ":" in servers[0][0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind(("", 0))

    def look(self) -> NatLook:
        """Ask for it all; takes up to some seconds."""
        first = self._servers[0]
        local = local_addresses(self._socket.getsockname()[1], first[0])
        asked = f"[{first[0]}]:{first[1]}" if ":" in first[0] else f"{first[0]}:{first[1]}"
        answer = self._ask(first)
        if answer is None or answer.mapped is None:
            return NatLook(asked, local, [])
        other = plain_address(answer.attributes.get(OTHER_ADDRESS, b""))
        let_in = self._is_let_in(first, other)  # before anything is sent to another port
        places = [at for at in dict.fromkeys([*self._servers[1:], *_others(first, other)])]
        seen, answered = [answer.mapped], 1
        for place in places:
            answer = self._ask(place)
            if answer is not None and answer.mapped is not None:
                seen.append(answer.mapped)
                answered += 1
        return NatLook(asked, local, seen, answered, let_in)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _is_let_in(self, server: Address, other: Address | None) -> bool | None:
        """Whether an answer from elsewhere comes; None where the server has no elsewhere."""
        tried = False
        for change in (CHANGE_IP_AND_PORT, CHANGE_PORT) if other is not None else (CHANGE_PORT,):
            answer = self._ask(server, change)
            if answer is None:
                tried = True
            elif answer.kind == SUCCESS:
                return True
        return False if tried else None

    def _ask(self, to: Address, change: bytes | None = None) -> StunMessage | None:
        """An answer, whoever it comes from; None if there is none."""
        attributes = {} if change is None else {CHANGE_REQUEST: change}
        transaction = secrets.token_bytes(12)
        request = encode(StunMessage(REQUEST, transaction, attributes))
        for _ in range(TRIES):
            try:
                self._socket.sendto(request, to)
                if answer := self._answer(transaction):
                    return answer
            except OSError:
                continue  # nobody there; perhaps the next time
        return None

    def _answer(self, transaction: bytes) -> StunMessage | None:
        give_up_s = time.monotonic() + WAIT_S
        while (left_s := give_up_s - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            try:
                message = parse(self._socket.recvfrom(MAX_BYTES)[0])
            except TimeoutError:
                return None
            except InvalidDatagram:
                continue
            if message.kind != REQUEST and message.transaction == transaction:
                return message
        return None


def _others(first: Address, other: Address | None) -> list[Address]:
    """Where RFC 5780 has a server asked too: its other address, at both ports."""
    return [] if other is None else [(other[0], first[1]), other]


def look_at_nat(servers: Sequence[Address]) -> NatLook | None:
    """What these STUN servers show; None without any. Raises OSError."""
    if not servers:
        return None
    looking = NatLooking(servers)
    try:
        return looking.look()
    finally:
        looking.close()


def find_servers(texts: Sequence[str]) -> list[Address]:
    """Numeric addresses of HOST:PORT, all of one family; raises Unavailable."""
    found: list[Address] = []
    family = socket.AF_UNSPEC
    for text in texts:
        host, _, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise Unavailable(f"--stun {text!r} is no HOST:PORT such as stun.example.org:3478")
        try:
            answers = socket.getaddrinfo(host, int(port), family, socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise Unavailable(f"--stun {text!r}: there is no host of that name ({why})") from None
        family = answers[0][0]
        found.append((str(answers[0][4][0]), int(port)))
    return found
