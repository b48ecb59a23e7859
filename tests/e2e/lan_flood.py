"""Announces 3,000 servers with names that move the cursor, as a hostile machine may: ADDRESS."""

import asyncio
import socket
import sys

from zeroconf import DNSAddress, DNSOutgoing, DNSPointer, DNSService, DNSText  # type: ignore[attr-defined]
from zeroconf.asyncio import AsyncZeroconf

COUNT = 3000
SERVICE = "_midipool._tcp.local."
ANSWER = 0x8400
IN, A, PTR, TXT, SRV = 1, 1, 12, 16, 33
TTL_S = 120


def announcement(number: int, address: str) -> DNSOutgoing:
    """One packet with all that is to be said of one server."""
    name = f"\x1b[2J<b>{number}</b>.{SERVICE}"
    out = DNSOutgoing(ANSWER)
    for record in (
        DNSPointer(SERVICE, PTR, IN, TTL_S, name),
        DNSService(name, SRV, IN, TTL_S, 0, 0, 9, name),
        DNSText(name, TXT, IN, TTL_S, b"\x0bkind=server"),
        DNSAddress(name, A, IN, TTL_S, socket.inet_aton(address)),
    ):
        out.add_answer_at_time(record, 0)
    return out


async def main(address: str) -> None:
    """Flood, again and again."""
    async with AsyncZeroconf(interfaces=[address]) as lan:
        await lan.zeroconf.async_wait_for_start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            for number in range(COUNT):
                lan.zeroconf.async_send(announcement(number, address))
                await asyncio.sleep(0 if number % 10 else 0.02)


asyncio.run(main(sys.argv[1]))
