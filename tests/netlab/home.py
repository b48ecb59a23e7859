"""Homes: a host in the internet, or behind a router as players' machines are."""

from dataclasses import dataclass
from typing import Literal

from .impairment import Impairment
from .lab import Lab, Link
from .namespaces import Host
from .nat import Nat
from .router import Router

Access = Nat | Literal["none"]


@dataclass(frozen=True)
class Home:
    """A player's host, and the link by which it, or its router, is in the internet."""

    host: Host
    link: Link
    router: Router | None


def make_home(
    lab: Lab,
    label: str,
    access: Access,
    server: Host,
    there: Impairment | None = None,
    back: Impairment | None = None,
) -> Home:
    """Make a host with access to the internet through a NAT, or "none": it is in it itself.

    Its router is labelled with "-router" behind the host's label. The settings are those of the
    link into the internet, to `server` or by the switch, as for Lab.join().
    """
    if access == "none":
        host = lab.host(label)
        return Home(host, lab.join(host, server, there, back), None)
    router = lab.router(f"{label}-router", access)
    link = lab.join(router, server, there, back)
    return Home(lab.behind(router, label), link, router)


def two_homes(
    lab: Lab, first: Access, second: Access, impairment: Impairment | None = None
) -> tuple[Host, Home, Home]:
    """Make a server in the internet, and the homes "a" and "b", each on a link of one kind."""
    server = lab.host("server")
    a, b = (
        make_home(lab, label, access, server, impairment)
        for label, access in (("a", first), ("b", second))
    )
    return server, a, b
