"""The UDP socket for clock probes, with the kernel's receive timestamps where it has them."""

import asyncio
import contextlib
import secrets
import socket
import struct
import sys
from collections.abc import Callable

from midipool.clock_sync import ProbeSample
from midipool.datagram import decode_clock_reply, encode_clock_probe
from midipool.errors import InvalidDatagram
from midipool_native import host_clock

REMEMBERED = 256
_TIMESPEC = struct.Struct("@qq")
# Linux's; Python has no name for it.
SO_TIMESTAMPNS = 35 if sys.platform == "linux" else None


class ClockSocket:
    """Sends probes to one address and hands each answered one to `on_sample`."""

    def __init__(
        self,
        family: socket.AddressFamily,
        address: tuple[str | int, ...],
        clock_id: str,
        on_sample: Callable[[ProbeSample], None],
    ) -> None:
        self._clock_id = clock_id
        self._on_sample = on_sample
        self._waiting: dict[int, int] = {}
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        if SO_TIMESTAMPNS is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        with contextlib.suppress(OSError):
            self._socket.connect(address)
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def probe(self) -> None:
        """Send a probe; a network that is away is no error."""
        nonce = secrets.randbits(64)
        while len(self._waiting) >= REMEMBERED:
            self._waiting.pop(next(iter(self._waiting)))
        t1_ns = host_clock.now_ns()
        self._waiting[nonce] = t1_ns
        with contextlib.suppress(OSError):
            self._socket.send(encode_clock_probe(nonce, t1_ns))

    def close(self) -> None:
        """Stop listening."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                data, control, _, _ = self._socket.recvmsg(256, 256)
            except BlockingIOError:
                return
            except OSError:
                return  # The server's host says that nobody listens there.
            self._take(data, _arrival_ns(control))

    def _take(self, data: bytes, t4_ns: int) -> None:
        try:
            reply = decode_clock_reply(data)
        except InvalidDatagram:
            return
        t1_ns = self._waiting.pop(reply.nonce, None)
        if t1_ns is None or t1_ns != reply.t1_ns or reply.clock_id != self._clock_id:
            return
        self._on_sample(ProbeSample(t1_ns, reply.t2_ns, reply.t3_ns, t4_ns))


def _arrival_ns(control: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return host_clock.from_realtime_ns(seconds * 1_000_000_000 + nanoseconds)
    return host_clock.now_ns()
