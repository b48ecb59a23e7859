"""A lab: hosts on one machine, links between them, and nothing left of it afterwards."""

import itertools
import os
import re
import socket
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar

from .cable import Cable, make_switch
from .impairment import Impairment
from .namespaces import NAMESPACES, Host, remove
from .nat import Nat
from .router import Router
from .tun_link import TunLink

NAME = re.compile(r"mp-(?P<pid>\d+)-\d+-[a-z0-9-]+")
NETWORK = "10.77"
HostType = TypeVar("HostType", bound=Host)


class Link(Protocol):
    """What joins a host to the rest."""

    def down(self) -> None:
        """Pull the cable."""

    def up(self) -> None:
        """Plug the cable in again."""


class Lab:
    """Makes hosts and links on the network 10.77.x.0/24; x is its own, and in every name.

    With `ipv6` on fd77:x::/64, and without IPv4: cables only, no routers and no impairments.
    """

    def __init__(self, *, ipv6: bool = False) -> None:
        self._ipv6 = ipv6
        self._left_behind = ExitStack()
        self._hosts: list[Host] = []
        self._routers = itertools.count(1)
        self._switch: Host | None = None
        self._cables: dict[Host, Cable] = {}
        self._routes = itertools.count(100)

    def __enter__(self) -> Self:
        self.sweep()
        claim, self._number = _claim_network()
        self._subnet = f"{NETWORK}.{self._number}"
        self._first = f"fd77:{self._number:x}::" if self._ipv6 else f"{self._subnet}."
        self._left_behind.callback(claim.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left_behind.__exit__(kind, error, trace)

    @staticmethod
    def sweep() -> list[str]:
        """Remove what labs of dead processes left behind; return the namespaces' names."""
        left = [
            path.name
            for path in NAMESPACES.glob("mp-*")
            if (name := NAME.fullmatch(path.name)) and not Path("/proc", name["pid"]).exists()
        ]
        for name_left in left:
            remove(name_left)
        return left

    def host(self, label: str) -> Host:
        """Make one more host, joined to nothing yet; its label is its own in this lab."""
        return self._add(Host, label)

    def router(self, label: str, nat: Nat, home: str | None = None) -> Router:
        """Make a home router, joined to nothing yet: join() takes it like any host.

        `home` is the private network behind it ("192.168.1"), by default one of its own. It is
        seen by its hosts alone, so that several homes, and labs, may have the same.
        """
        router = self._add(Router, label)
        router.open_home(home or f"192.168.{next(self._routers)}", nat)
        return router

    def behind(self, router: Router, label: str) -> Host:
        """Make one more host, in the home of a router."""
        host = self._make(Host, label, router.next_address())
        router.plug_in(host)
        return host

    def move(self, host: Host, router: Router) -> None:
        """Take a host out of the home that it is in, into another one: with another address."""
        for device in host.devices():
            host.ip("link", "delete", device)
        host.address = router.next_address()
        router.plug_in(host)

    def cable(self, host: Host) -> Cable:
        """Plug a host into the lab's one switch."""
        if self._switch is None:
            self._switch = self._make(Host, "switch", "")
            make_switch(self._switch)
        if host in self._cables:
            raise ValueError(f"{host.name} is plugged in already")
        self._cables[host] = Cable(host, self._switch)
        return self._cables[host]

    def tun_link(
        self, host: Host, hub: Host, there: Impairment, back: Impairment | None = None
    ) -> TunLink:
        """Join a host to a hub, which passes on what the host sends to others.

        Without `back` both directions have the same settings, each with its own luck.
        """
        link = TunLink(host, hub, there, back)
        self._left_behind.callback(link.close)
        hub.forward()
        # Last resort: a cable or a link to the very host comes first.
        metric = ("metric", str(next(self._routes)))
        host.ip("route", "add", f"{self._subnet}.0/24", "via", hub.address, *metric)
        return link

    def join(
        self,
        host: Host,
        hub: Host,
        there: Impairment | None = None,
        back: Impairment | None = None,
    ) -> Link:
        """Join a host to a hub: by the switch if nothing impairs the link."""
        if there is not None or back is not None:
            return self.tun_link(host, hub, there or Impairment(), back)
        if hub not in self._cables:
            self.cable(hub)
        return self.cable(host)

    def _add(self, kind: type[HostType], label: str) -> HostType:
        host = self._make(kind, label, f"{self._first}{len(self._hosts) + 1}")
        self._hosts.append(host)
        return host

    def _make(self, kind: type[HostType], label: str, address: str) -> HostType:
        name = f"mp-{os.getpid()}-{self._number}-{label}"
        if not NAME.fullmatch(name):
            raise ValueError(f"a host's label is made of a-z, 0-9 and -, not {label!r}")
        host = kind(name, address)
        self._left_behind.callback(host.close)
        host.configure()
        return host


def _claim_network() -> tuple[socket.socket, int]:
    """Take a network no other lab of this machine has; the kernel frees it with the socket."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for number in range(256):
        try:
            claim.bind(f"\0netlab {NETWORK}.{number}")
        except OSError:
            continue
        return claim, number
    claim.close()
    raise RuntimeError(f"all networks {NETWORK}.x.0/24 are taken by other labs")
