"""Real hosts on one machine: network namespaces, cables, and links that behave badly."""

from .cable import Cable
from .direction import Counts
from .impairment import Impairment
from .lab import Lab, Link
from .namespaces import Host, why_unavailable
from .nat import Nat
from .router import Router, why_no_routers
from .tun_link import TunLink

__all__ = [
    "Cable",
    "Counts",
    "Host",
    "Impairment",
    "Lab",
    "Link",
    "Nat",
    "Router",
    "TunLink",
    "why_no_routers",
    "why_unavailable",
]
