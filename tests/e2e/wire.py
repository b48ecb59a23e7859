"""What goes over this machine's loopback: sealed sound, by who says to have sent it."""

import socket
import time
from types import TracebackType

from midipool.media_datagram import VERSION

ETH_P_ALL, OUTGOING = 3, 4
ETHERNET, UDP_PROTOCOL, UDP = 14, 17, 8
SOUND = (0xF0, 0xF1)
READ_BYTES = 2_048


class Wire:
    """A context manager; needs to be root."""

    def __enter__(self) -> "Wire":
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.bind(("lo", 0))
        self._socket.settimeout(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()

    def sound_of(self, sender: int, seconds: float) -> int:
        """How many datagrams of sound it sends from now on for so long."""
        self._drop_old()
        count, until_s = 0, time.monotonic() + seconds
        while time.monotonic() < until_s:
            try:
                frame, address = self._socket.recvfrom(READ_BYTES)
            except TimeoutError:
                continue
            count += address[2] == OUTGOING and _sender_of(frame) == sender
        return count

    def _drop_old(self) -> None:
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recv(READ_BYTES)
        except BlockingIOError:
            self._socket.settimeout(0.01)


def _sender_of(frame: bytes) -> int | None:
    """Whose sound an Ethernet frame holds, if it holds any."""
    packet = frame[ETHERNET:]
    if not packet:
        return None
    if packet[0] >> 4 == 4:
        protocol, payload = packet[9], packet[(packet[0] & 0x0F) * 4 :]
    else:
        protocol, payload = packet[6], packet[40:]
    media = payload[UDP:]
    if protocol != UDP_PROTOCOL or len(media) < 8 or media[0] not in SOUND or media[1] != VERSION:
        return None
    return int.from_bytes(media[4:8], "big")
