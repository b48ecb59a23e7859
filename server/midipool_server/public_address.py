"""How a browser's user reaches this server: by the request's own words, or by a proxy's. Pure."""

import re
from collections.abc import Mapping
from typing import NamedTuple

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
