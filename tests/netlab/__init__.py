"""Real hosts on one machine: network namespaces, cables, and links that behave badly."""

from .cable import Cable
from .direction import Counts
from .home import Access, Home, make_home, two_homes
from .impairment import Impairment
from .lab import Lab, Link
from .namespaces import Host, why_unavailable
from .nat import Nat
from .router import Router, why_no_routers
from .tun_link import TunLink

__all__ = [
    "Access",
    "Cable",
    "Counts",
    "Home",
    "Host",
    "Impairment",
    "Lab",
    "Link",
    "Nat",
    "Router",
    "TunLink",
    "make_home",
    "two_homes",
    "why_no_routers",
    "why_unavailable",
]
