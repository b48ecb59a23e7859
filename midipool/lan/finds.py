"""All that was found on a LAN, within bounds: who announces thousands crowds nobody out. Pure."""

import ipaddress
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from midipool import PROTOCOL_VERSION
from midipool.lan.announcement import Announcement

MOST_FOUND = 256
MOST_OF_ONE_ADDRESS = 8
MOST_ADDRESSES = 8
MISSED_CHECKS = 2
"""A server that does not answer so many times is not shown any more."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An end on this LAN."""

    said: Announcement
    addresses: list[str]
    """Of this LAN, IPv4 first; `%` and the interface behind one that needs it."""
    port: int
    missed: int = 0
    """How often a server did not answer, one time after the other."""
    answers: bool | None = None
    """None before it was asked."""

    @property
    def server(self) -> str:
        """Where to go, without a room: ws://HOST:PORT."""
        host = f"[{self.addresses[0]}]" if ":" in self.addresses[0] else self.addresses[0]
        return f"{'wss' if self.said.tls else 'ws'}://{host}:{self.port}"

    @property
    def problem(self) -> str:
        """Why one cannot join there, for people; empty if one can."""
        if self.said.version != PROTOCOL_VERSION:
            older = "this client" if self.said.version > PROTOCOL_VERSION else "the server"
            return f"speaks another version of the protocol: update {older}"
        return "does not answer" if self.answers is False else ""


@dataclass(slots=True)
class Finds:
    """By the name of the instance. `networks` are those that this machine is in."""

    networks: Sequence[Network]
    left_out: int = 0
    """Announcements that found no place, or that lead to no address of this LAN."""
    _found: dict[str, Found] = field(default_factory=dict)

    def put(
        self, key: str, said: Announcement, addresses: Iterable[str], port: int
    ) -> Found | None:
        """Somebody is there, or says something else now; None where that is not believed."""
        here = self._of_this_lan(addresses)
        known = self._found.get(key)
        if not here or not 0 <= port <= 65535 or (said.kind == "server" and port == 0):
            self.left_out += 1
            self._found.pop(key, None)
            return None
        if known is None and not self._has_room(here):
            self.left_out += 1
            return None
        found = Found(said=said, addresses=here, port=port)
        if known is not None and (set(known.addresses), known.port) == (set(here), port):
            found = msgspec.structs.replace(known, said=said)
        self._found[key] = found
        return found

    def gone(self, key: str) -> None:
        """It says goodbye, or was not heard for too long."""
        self._found.pop(key, None)

    def checked(self, key: str, address: str | None) -> None:
        """A server was asked, and answered at this address, which is the one to take then."""
        found = self._found.get(key)
        if found is None:
            return
        if address in found.addresses:
            others = [other for other in found.addresses if other != address]
            changes = {"addresses": [address, *others], "missed": 0, "answers": True}
        else:
            changes = {"missed": found.missed + 1, "answers": False}
        self._found[key] = msgspec.structs.replace(found, **changes)

    def servers(self) -> dict[str, Found]:
        """Those to be asked whether they are there."""
        return {key: found for key, found in self._found.items() if found.said.kind == "server"}

    def shown(self) -> list[Found]:
        """For people: servers first, each kind by name; without those that ceased to answer."""
        there = [found for found in self._found.values() if found.missed < MISSED_CHECKS]
        return sorted(there, key=lambda f: (f.said.kind != "server", f.said.name.casefold()))

    def _has_room(self, addresses: list[str]) -> bool:
        of_each = Counter(address for found in self._found.values() for address in found.addresses)
        return len(self._found) < MOST_FOUND and all(
            of_each[address] < MOST_OF_ONE_ADDRESS for address in addresses
        )

    def _of_this_lan(self, addresses: Iterable[str]) -> list[str]:
        """mDNS does not leave the LAN; who names an address elsewhere wants us to knock there."""
        here: list[str] = []
        for text in addresses:
            try:
                address = ipaddress.ip_address(text.partition("%")[0])
            except ValueError:
                continue
            if address.is_loopback or address.is_multicast or address.is_unspecified:
                continue
            if text not in here and any(
                address.version == network.version and address in network
                for network in self.networks
            ):
                here.append(text)
        return sorted(here, key=_how_far)[:MOST_ADDRESSES]


def _how_far(address: str) -> int:
    """What works everywhere comes first."""
    return 0 if ":" not in address else 2 if address.lower().startswith("fe80") else 1
