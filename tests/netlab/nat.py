"""Rules that make a host's kernel translate addresses the way home routers do."""

from typing import Literal, get_args

from .cable import BRIDGE

Nat = Literal["full-cone", "port-restricted", "symmetric"]
KINDS: tuple[Nat, ...] = get_args(Nat)

# What comes from outside and is translated to no host of the home is for the router itself. It is
# dropped without a word, before the kernel remembers it as a connection of the router's: else a
# datagram that comes too early would take the very mapping that it is for.
RULES = """
table ip home {{
    counter refused {{ }}
    {remember}
    chain leave {{
        type nat hook postrouting priority srcnat
        iifname "{inside}" masquerade {how}
    }}
    chain arrive {{
        type filter hook input priority filter
        iifname {{ "{inside}", "lo" }} accept
        meta l4proto udp counter name refused drop
    }}
}}
"""
# Filtering: whatever comes to a port that a host of the home has sent from is passed to it.
REMEMBER = """
    map mapped {{
        type inet_service : ipv4_addr
        flags dynamic, timeout
        timeout 120s
    }}
    chain remember {{
        type filter hook postrouting priority mangle
        iifname "{inside}" meta l4proto udp update @mapped {{ udp sport : ip saddr }}
    }}
    chain pass_in {{
        type nat hook prerouting priority dstnat
        iifname != "{inside}" meta l4proto udp dnat to udp dport map @mapped
    }}
"""


def rules(nat: Nat, inside: str = BRIDGE) -> str:
    """Rules for `nft -f` on a router whose home is on the device `inside`.

    In the words of RFC 4787, with what makes the kernel behave so:

    - full-cone: endpoint-independent mapping and filtering. The kernel keeps a host's port
      where it can, so the mapping is the same whoever is sent to; a map of the ports that were
      sent from (each for 120 s after the last datagram out) passes in whatever comes to them.
      Two hosts of one home that use the same port: the first has it, the other is
      port-restricted at best.
    - port-restricted: endpoint-independent mapping as above, address- and port-dependent
      filtering, as the kernel tracks connections by both ends.
    - symmetric: address- and port-dependent mapping and filtering; each connection, told by
      both ends, draws its port anew.

    None passes what the home sends to its own outside address back in (no hairpinning).
    """
    if nat not in KINDS:
        raise ValueError(f"a NAT is one of {', '.join(KINDS)}, not {nat!r}")
    return RULES.format(
        inside=inside,
        remember=REMEMBER.format(inside=inside) if nat == "full-cone" else "",
        how="fully-random" if nat == "symmetric" else "",
    )
