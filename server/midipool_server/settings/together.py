"""What settings have to do with each other. Pure."""

import ipaddress
from collections.abc import Iterator

from midipool.errors import InvalidValue
from midipool.lan.announcement import is_room
from midipool.messages import ROOM_NAME_RULE
from midipool_server.public_address import networks
from midipool_server.settings.table import Settings

LAST_PORT = 65535
Conflict = tuple[tuple[str, ...], str]
"""The settings that it is about, the first to be changed first; and the rule."""


def clock_port(settings: Settings) -> int:
    """UDP, for clock probes; 0 for none."""
    return settings.port if settings.udp else 0


def media_port(settings: Settings) -> int:
    """UDP, for the relay; 0 for none."""
    if not settings.media:
        return 0
    return settings.port + 1 if settings.media_port is None else settings.media_port


def stun_port(settings: Settings) -> int:
    """UDP, for STUN alone; 0 for none."""
    relay = media_port(settings)
    if not relay:
        return 0
    return relay + 1 if settings.stun_port is None else settings.stun_port


def conflicts(settings: Settings) -> Iterator[Conflict]:
    """What cannot be had together."""
    yield from _ports(settings)
    yield from _privacy(settings)
    if settings.announce_room and not is_room(settings.announce_room):
        yield ("announce_room",), f"must have {ROOM_NAME_RULE}"


def _ports(settings: Settings) -> Iterator[Conflict]:
    clock, relay, stun = clock_port(settings), media_port(settings), stun_port(settings)
    if relay > LAST_PORT:
        text = "there is no port above 65535: choose a --media-port, or --no-media"
        yield ("media_port", "port"), text
    elif stun > LAST_PORT:
        text = "there is no port above 65535: choose a --stun-port, or 0 for none"
        yield ("stun_port", "media_port", "port"), text
    if relay and relay == clock:
        text = f"UDP port {relay} is for clock probes: choose another --media-port"
        yield ("media_port", "port"), text
    taken = {relay: "for audio", clock: "for the clock"}
    if stun and stun in taken:
        text = f"UDP port {stun} is {taken[stun]}: choose another --stun-port"
        yield ("stun_port", "media_port", "port"), text
    if settings.metrics_port and settings.metrics_port == settings.port:
        text = f"TCP port {settings.port} is for the rooms: choose another --metrics-port"
        yield ("metrics_port", "port"), text


def _privacy(settings: Settings) -> Iterator[Conflict]:
    if bool(settings.tls_cert) != bool(settings.tls_key):
        yield (
            ("tls_cert", "tls_key"),
            "a certificate and its key go together: --tls-cert, --tls-key",
        )
    try:
        networks(settings.proxies)
    except InvalidValue as error:
        yield ("proxies",), str(error)
    private = settings.tls_cert or settings.behind_proxy or settings.plain_text
    if not private and not _is_loopback(settings.host):
        text = (
            f"{settings.host} is beyond this machine, and without TLS whoever can listen on the "
            "way reads passwords, invitations and the keys of the rooms' audio: give --tls-cert "
            "and --tls-key, or --behind-proxy, or --plain-text in a network that you trust"
        )
        yield ("host", "plain_text"), text


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
