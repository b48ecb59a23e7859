"""Home routers: hosts of the internet with a network of private addresses behind them."""

import json
import shutil

from .cable import BRIDGE, Cable, make_switch
from .namespaces import Host, why_unavailable
from .nat import Nat, rules


def why_no_routers() -> str | None:
    """Say in one line why no lab with routers can be had here; None if it can."""
    if reason := why_unavailable():
        return reason
    if shutil.which("nft") is None:
        return "the command nft (nftables) is not installed"
    return None


class Router(Host):
    """A host whose `address` is the outside one, with a switch and a NAT for its home.

    How long the NAT remembers is `sysctl("netfilter/nf_conntrack_udp_timeout", seconds)`, and
    `.._timeout_stream` for what was answered: 30 s and 120 s from the kernel.
    """

    def open_home(self, network: str, nat: Nat) -> None:
        """Begin to route for a home on `network` ("192.168.1", a /24), where it is .1."""
        self._network = network
        self._at_home = 1
        make_switch(self)
        self.ip("address", "add", f"{network}.1/24", "dev", BRIDGE)
        self.sysctl("ipv4/ip_forward", 1)
        self.nft("-f", "-", stdin=rules(nat))

    def next_address(self) -> str:
        """Give out one more private address."""
        self._at_home += 1
        return f"{self._network}.{self._at_home}"

    def plug_in(self, host: Host) -> Cable:
        """Join a host to the home; all that it sends elsewhere goes through the router."""
        cable = Cable(host, self)
        host.ip("route", "add", "default", "via", f"{self._network}.1")
        return cable

    def refused(self) -> int:
        """Count the UDP datagrams from outside that were for nobody of the home."""
        listed = json.loads(self.nft("--json", "list", "counter", "ip", "home", "refused"))
        [counter] = [entry["counter"] for entry in listed["nftables"] if "counter" in entry]
        return int(counter["packets"])
