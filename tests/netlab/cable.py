"""Plain links: cables from hosts to the ports of a switch."""

from .namespaces import Host, ip

BRIDGE = "bridge"
# Asking for a neighbour's address again after 20 ms, not 1 s, so that a cable works as soon
# as it is plugged in; giving up after 3 s as ever. A hub answers for others without 0.8 s' wait.
NEIGHBOURS = {"retrans_time_ms": 20, "mcast_solicit": 150, "ucast_solicit": 150, "proxy_delay": 0}


def make_switch(host: Host) -> None:
    """Turn a host into a switch: a bridge that forwards from the first moment on."""
    host.ip("link", "add", BRIDGE, "type", "bridge", "stp_state", "0", "forward_delay", "0")
    host.ip("link", "set", BRIDGE, "up")


class Cable:
    """A veth pair from a host to a switch; pulled at the switch, the host keeps its routes."""

    def __init__(self, host: Host, switch: Host) -> None:
        self._host, self._switch = host, switch
        self._port = switch.new_device("port")
        self._device = device = host.new_device("eth")
        ends = (device, "netns", host.name, "type", "veth", "peer", self._port)
        ip("link", "add", *ends, "netns", switch.name)
        switch.ip("link", "set", self._port, "master", BRIDGE, "up")
        ip_version, prefix = ("ipv6", 64) if host.is_ipv6 else ("ipv4", 24)
        # Else the kernel asks later, and only then is an address one that can be bound.
        at_once = ("nodad",) if host.is_ipv6 else ()
        host.ip("address", "add", f"{host.address}/{prefix}", "dev", device, *at_once)
        host.ip("link", "set", device, "up")
        for key, value in NEIGHBOURS.items():
            host.sysctl(f"{ip_version}/neigh/{device}/{key}", value)

    def down(self) -> None:
        """Pull the cable."""
        self._switch.ip("link", "set", self._port, "down")

    def up(self) -> None:
        """Plug the cable in again."""
        self._switch.ip("link", "set", self._port, "up")
        self._host.wait_for_carrier(self._device)
