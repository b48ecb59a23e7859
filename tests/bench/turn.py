"""As much of TURN (RFC 8656) as `./run bench relay` needs to have coturn pass datagrams on."""

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator

COOKIE = 0x2112A442
ALLOCATE, CHANNEL_BIND, SUCCESS = 0x0003, 0x0009, 0x0100
CHANNEL_NUMBER, XOR_PEER_ADDRESS, REQUESTED_TRANSPORT = 0x000C, 0x0012, 0x0019
UDP = 17 << 24
CHANNEL = 0x4000
PATIENCE_S = 10


def found() -> bool:
    """Whether coturn is installed."""
    return shutil.which("turnserver") is not None


@contextlib.contextmanager
def coturn(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """coturn on one relay thread, for anybody on this machine."""
    where = ["-n", "-L", "127.0.0.1", "-E", "127.0.0.1", "-p", str(port)]
    rights = ["--no-auth", "--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls"]
    quiet = ["--no-tcp", "-m", "1", "--log-file=/dev/null", "--pidfile=/dev/null"]
    process = subprocess.Popen(
        ["turnserver", *where, *rights, *quiet],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def open_channel(sock: socket.socket, peer_port: int) -> None:
    """Channel 0x4000 of a connected socket leads to a port of 127.0.0.1 from now on."""
    _ask(sock, ALLOCATE, struct.pack(">HHI", REQUESTED_TRANSPORT, 4, UDP))
    address = struct.unpack(">I", socket.inet_aton("127.0.0.1"))[0] ^ COOKIE
    peer = struct.pack(">BBHI", 0, 1, peer_port ^ COOKIE >> 16, address)
    channel = struct.pack(">HHHH", CHANNEL_NUMBER, 4, CHANNEL, 0)
    _ask(sock, CHANNEL_BIND, channel + struct.pack(">HH", XOR_PEER_ADDRESS, len(peer)) + peer)


def channel_data(data: bytes) -> bytes:
    """What coturn passes on as `data`."""
    return struct.pack(">HH", CHANNEL, len(data)) + data


def _ask(sock: socket.socket, method: int, attributes: bytes) -> None:
    request = struct.pack(">HHI", method, len(attributes), COOKIE) + os.urandom(12) + attributes
    end = time.monotonic() + PATIENCE_S
    sock.settimeout(0.2)
    while time.monotonic() < end:
        # Until it listens, a connected socket hears that it does not.
        with contextlib.suppress(TimeoutError, ConnectionRefusedError):
            sock.send(request)
            answer = sock.recv(2000)
            if answer[8:20] == request[8:20]:
                assert struct.unpack_from(">H", answer)[0] == method | SUCCESS, answer.hex()
                return
    raise TimeoutError("coturn does not answer")
