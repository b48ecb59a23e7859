"""From where somebody reaches this server, and how: also by the words of a proxy of ours. Pure."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from midipool.errors import InvalidValue

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")


class PublicAddress(NamedTuple):
    """Scheme and host as they are from outside."""

    secure: bool
    host: str

    def join(self, room: str) -> str:
        """The address to join a room with; it names the port where `midipool-client` would not."""
        if self.secure:
            return f"wss://{self.host}/{room}"
        has_port = re.search(r":[0-9]+$", self.host)
        return f"ws://{self.host}{'' if has_port else ':80'}/{room}"


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Where a proxy is, unless one says otherwise: here, or in a private network.
PROXIES = (
    *("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    *("fc00::/7", "fe80::/10"),
)


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Addresses, or networks such as 10.0.0.0/8; raises InvalidValue."""
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        rule = f"must be addresses, or networks such as 10.0.0.0/8 ({error})"
        raise InvalidValue("proxies", rule) from None


def is_in(address: str, of: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks; a text that is none is not."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip in network for network in of)


def client_address(headers: Mapping[str, str], remote: str, proxies: Sequence[Network]) -> str:
    """Who it is that asks: of what proxies added, one behind the other, the last that is none.

    Only what a proxy of ours said counts: whatever stands before that, anybody could have said.
    """
    chain = _all(headers.get("X-Forwarded-For", "")) or _forwarded_for(headers.get("Forwarded", ""))
    address = remote
    while chain and is_in(address, proxies):
        address = chain.pop()
    return address


def _all(header: str) -> list[str]:
    return [_bare(part) for part in header.split(",") if part.strip()]


def _forwarded_for(header: str) -> list[str]:
    """Each `for` of `Forwarded` (RFC 7239)."""
    elements = (_forwarded(element) for element in header.split(","))
    return [_bare(element["for"]) for element in elements if "for" in element]


def _bare(text: str) -> str:
    """An address without its port and brackets."""
    text = text.strip().strip('"')
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def public_address(
    headers: Mapping[str, str], secure: bool, trust_proxy: bool
) -> PublicAddress | None:
    """By `Forwarded` or `X-Forwarded-…` where a proxy is trusted; None without a sound host."""
    host = headers.get("Host", "")
    if trust_proxy:
        told = _forwarded(headers.get("Forwarded", ""))
        proto = told.get("proto") or _first(headers.get("X-Forwarded-Proto", ""))
        secure = proto.lower() in ("https", "wss") if proto else secure
        host = told.get("host") or _first(headers.get("X-Forwarded-Host", "")) or host
    match = _HOST.fullmatch(host)
    if match is None or (match[1] and not 1 <= int(match[1]) <= 65535):
        return None
    return PublicAddress(secure, host)


def _first(header: str) -> str:
    """What the proxy said that the client itself spoke with."""
    return header.partition(",")[0].strip()


def _forwarded(header: str) -> dict[str, str]:
    """The first element of `Forwarded` (RFC 7239)."""
    pairs = (part.partition("=") for part in _first(header).split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
