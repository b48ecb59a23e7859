"""Addresses of the media socket: IPv4 or IPv6, as text here, as bytes in C."""

import functools
import ipaddress
from dataclasses import dataclass
from typing import Any

from midipool.errors import InvalidValue
from midipool_native._rt import ffi


@dataclass(frozen=True, slots=True)
class Address:
    """Where a datagram comes from or goes to. `ip` is IPv4 or IPv6 text, with %scope if needed."""

    ip: str
    port: int

    def __post_init__(self) -> None:
        """Raises InvalidValue."""
        _parse(self.ip)
        if not 1 <= self.port <= 65535:
            raise InvalidValue("port", "1 to 65535")

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


def to_c(address: Address | None) -> Any:
    """An `mp_address *`; family 0 for None."""
    made = ffi.new("mp_address *")
    if address is None:
        return made
    ip = _parse(address.ip)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    made.family, made.port = ip.version, address.port
    made.ip[0 : len(ip.packed)] = ip.packed
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id is not None:
        made.scope = int(ip.scope_id)
    return made


def from_c(address: Any) -> Address | None:
    """The address of an `mp_address`; None for family 0."""
    if address.family == 0:
        return None
    size = 4 if address.family == 4 else 16
    return _address(bytes(ffi.buffer(address.ip, size)), address.scope, address.port)


# The same few come and go many times a second.
@functools.lru_cache(256)
def _address(packed: bytes, scope: int, port: int) -> Address:
    return Address(f"{ipaddress.ip_address(packed)}{f'%{scope}' if scope else ''}", port)


@functools.lru_cache(256)
def _parse(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        parsed = ipaddress.ip_address(ip)
    except ValueError:
        raise InvalidValue("address", f"{ip!r} is not an IPv4 or IPv6 address") from None
    scope = parsed.scope_id if isinstance(parsed, ipaddress.IPv6Address) else None
    if scope is not None and not (scope.isdecimal() and int(scope) < 1 << 32):
        raise InvalidValue("address", f"{ip!r}: the scope is an interface's number")
    return parsed
