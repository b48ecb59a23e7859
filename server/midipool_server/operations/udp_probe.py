"""Whether our own UDP ports answer, asked as a client would ask."""

import asyncio
import contextlib
import os
import socket

from midipool import stun
from midipool.datagram import decode_clock_reply, encode_clock_probe
from midipool.errors import InvalidDatagram

PATIENCE_S = 0.5
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


async def clock_answers(host: str, port: int) -> bool:
    """Whether clock probes are answered there."""
    data = await _asked(host, port, encode_clock_probe(1, 0))
    try:
        return decode_clock_reply(data).nonce == 1
    except InvalidDatagram:
        return False


async def stun_answers(host: str, port: int) -> bool:
    """Whether STUN is answered there: the relay's thread does both."""
    transaction = os.urandom(12)
    return transaction in await _asked(
        host, port, stun.encode(stun.StunMessage(stun.REQUEST, transaction))
    )


async def _asked(host: str, port: int, data: bytes) -> bytes:
    """What comes back; nothing if nothing does."""
    loop = asyncio.get_running_loop()
    to = ANY.get(host, host)
    with contextlib.suppress(OSError, TimeoutError):
        family, _, _, _, address = (await loop.getaddrinfo(to, port, type=socket.SOCK_DGRAM))[0]
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            async with asyncio.timeout(PATIENCE_S):
                await loop.sock_connect(sock, address)
                await loop.sock_sendall(sock, data)
                return await loop.sock_recv(sock, 2048)
    return b""
