"""A TUN device: the packets a host sends into it are read from a file descriptor."""

import fcntl
import os
import struct

from .namespaces import TUN_DEVICE, entered

TUNSETIFF, TUNSETCARRIER = 0x400454CA, 0x400454E2  # <linux/if_tun.h>
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000


def open_tun(namespace: str, device: str) -> int:
    """Make a TUN device in a namespace; it lasts as long as the descriptor."""
    with entered(namespace):
        fd = os.open(TUN_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
    except OSError:
        os.close(fd)
        raise
    return fd


def set_carrier(fd: int, up: bool) -> None:
    """Show the host a plugged or a pulled cable."""
    fcntl.ioctl(fd, TUNSETCARRIER, struct.pack("i", up))
