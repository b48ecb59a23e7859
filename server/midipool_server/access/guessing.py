"""How often an address may guess: wrong passwords and invitations are counted. Pure."""

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass, field

from midipool.errors import Refused

TRIES = 5
"""At once."""
AGAIN_US = 30_000_000
"""One more after so long."""
MOST_ADDRESSES = 10_000
"""The one that guessed longest ago is forgotten first."""


@dataclass(slots=True)
class Guesses:
    """A try counts when it begins, so that many at once count too; a right one is given back."""

    _spent_us: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """When an address has all its tries again."""

    def begin(self, address: str, now_us: int) -> None:
        """Count one more; raises Refused when there were too many."""
        key = network_of(address)
        free_us = max(self._spent_us.get(key, 0), now_us)
        wait_us = free_us + AGAIN_US - now_us - TRIES * AGAIN_US
        if wait_us > 0:
            text = f"too many wrong tries from your address: wait {math.ceil(wait_us / 1e6)} s"
            raise Refused("too_many_tries", text)
        self._spent_us[key] = free_us + AGAIN_US
        self._spent_us.move_to_end(key)
        if len(self._spent_us) > MOST_ADDRESSES:
            self._spent_us.popitem(last=False)

    def was_right(self, address: str) -> None:
        """Give the try back."""
        key = network_of(address)
        if key in self._spent_us:
            self._spent_us[key] -= AGAIN_US


def network_of(address: str) -> str:
    """What one person has: an IPv4 address, or a /64 of IPv6; a text that is none is itself."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))


def is_shared(address: str) -> bool:
    """Whether it says nothing of who it is: none, or this machine's own."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback
