"""UDP sockets that the server listens on."""

import socket

from midipool.errors import Unavailable


def bound_socket(host: str, port: int, option: str) -> socket.socket:
    """A socket bound to `host`:`port`; raises Unavailable, which names the `option` to change.

    An IPv6 address takes IPv4 too.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        raise Unavailable(f"UDP {host}:{port}: {error.strerror or error}") from None
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
    except OSError as error:
        sock.close()
        text = f"UDP port {port} on {host!r} cannot be used ({error.strerror}): choose another"
        raise Unavailable(f"{text} {option}") from None
    return sock
