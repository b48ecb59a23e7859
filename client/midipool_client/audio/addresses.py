"""The addresses at which this machine may be reached."""

import contextlib
import ipaddress
import socket

import ifaddr


def local_addresses(port: int, toward: str) -> list[tuple[str, int]]:
    """(address, port) of our interfaces; first that from which packets go to the host `toward`.

    Loopback is among them only when that host is on this machine.
    """
    found = list(_source(toward))
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text)
            if not (address.is_loopback or address.is_link_local) and text not in found:
                found.append(text)
    return [(address, port) for address in found]


def _source(toward: str) -> list[str]:
    """What the system would send from; nothing is sent."""
    family = socket.AF_INET6 if ":" in toward else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((toward, 9))
        return [str(probe.getsockname()[0])]
    return []
