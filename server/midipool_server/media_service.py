"""The server's part in audio: the relay's socket, and keys for new rooms."""

import contextlib
import itertools
import logging
import os
import secrets
from collections.abc import Callable

from midipool.media_datagram import KEY_SIZE
from midipool_native import media
from midipool_native.relay import MAX_CAPACITY, Relay
from midipool_server import udp
from midipool_server.media_keys import KEY_IDS, RoomMedia
from midipool_server.media_relay import MediaRelay

log = logging.getLogger(__name__)


def open_relay(host: str, port: int, max_members: int, stun_port: int = 0) -> MediaRelay | None:
    """Relay audio, and answer STUN, at UDP `host`:`port`; raises Unavailable.

    At `stun_port`, if it is not 0, STUN alone is answered.
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
        stun = None
        if stun_port:
            stun = udp.bound_socket(host, stun_port, "--stun-port, or 0 for none")
            unless_it_works.callback(stun.close)
        relay = Relay(sock, min(max(max_members, 1), MAX_CAPACITY), stun=stun)
        unless_it_works.pop_all()
    log.info("audio relay and STUN at UDP port %d", port)
    return MediaRelay(relay)


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
