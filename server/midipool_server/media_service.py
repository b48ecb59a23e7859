"""The server's part in audio: the relay's socket, and keys for new rooms."""

import contextlib
import itertools
import logging
import os
import secrets
import socket
from collections.abc import Callable

from midipool.errors import Unavailable
from midipool.media_datagram import KEY_SIZE
from midipool_native import media
from midipool_native.relay import MAX_CAPACITY, Relay, RelayLimits
from midipool_server import udp
from midipool_server.media_keys import KEY_IDS, RoomMedia
from midipool_server.media_relay import MediaRelay

log = logging.getLogger(__name__)


def open_relay(
    host: str,
    port: int,
    max_members: int,
    stun_port: int = 0,
    stun_is_wanted: bool = True,
    limits: RelayLimits | None = None,
) -> MediaRelay | None:
    """Relay audio, and answer STUN, at UDP `host`:`port`; raises Unavailable.

    At `stun_port`, if it is not 0, STUN alone is answered; unless it is wanted, it is done without
    where it is busy.
    Without libsodium there is none: that is said once, and the rest works.
    """
    if not media.sodium_found():
        log.warning(
            "no audio relay: libsodium is not installed; install it (Debian: apt install"
            " libsodium23) and start the server anew"
        )
        return None
    sock = udp.bound_socket(host, port, "--media-port, or --no-media")
    with contextlib.ExitStack() as unless_it_works:
        unless_it_works.callback(sock.close)
        stun = _second_port(host, stun_port, stun_is_wanted) if stun_port else None
        if stun is not None:
            unless_it_works.callback(stun.close)
        relay = Relay(sock, min(max(max_members, 1), MAX_CAPACITY), limits, stun)
        unless_it_works.pop_all()
    log.info("audio relay and STUN at UDP port %d", port)
    return MediaRelay(relay, stun_port if stun is not None else None)


def _second_port(host: str, port: int, is_wanted: bool) -> socket.socket | None:
    try:
        return udp.bound_socket(host, port, "--stun-port, or 0 for none")
    except Unavailable as error:
        if is_wanted:
            raise
        log.warning("one port of STUN is too few to tell symmetric NATs: %s", error)
        return None


def room_media(port: int, stun_port: int | None = None) -> Callable[[], RoomMedia]:
    """Makes the keys of new rooms; sender ids begin at 1 and are never used again."""
    senders = itertools.count(1)
    return lambda: RoomMedia(
        port,
        secrets.randbelow(KEY_IDS),
        lambda: os.urandom(KEY_SIZE),
        senders,
        stun_port,
    )
