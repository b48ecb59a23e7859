"""What kind of router is between this machine and the others, and what that means. Pure.

The kinds are those that RFC 5780 tells apart: how a NAT maps an address of ours to one of its own,
and whom it lets in from outside.
"""

from dataclasses import dataclass
from typing import Literal

from midipool.stun import Address
from midipool_client.doctor.finding import Figure, Finding, unknown

NAME = "router"
NatKind = Literal[
    "blocked", "none", "firewall", "open cone", "port-restricted", "cone", "symmetric"
]


@dataclass(frozen=True, slots=True)
class NatLook:
    """What STUN servers answered to one socket."""

    asked: str
    """HOST:PORT of the first server."""
    local: list[Address]
    """The socket's own addresses."""
    seen: list[Address]
    """Where each place that was asked sees it; of the first server first."""
    places: int = 2
    """How many places were asked where it is seen from: one alone cannot tell a symmetric NAT."""
    let_in: bool | None = None
    """Whether an answer came from a port that nothing was sent to; None: no server could try."""


def kind_of(look: NatLook) -> NatKind:
    """The kind of router; "cone" where it is not known whom it lets in."""
    if not look.seen:
        return "blocked"
    if look.seen[0] in look.local:
        return "firewall" if look.let_in is False else "none"
    if len(set(look.seen)) > 1:
        return "symmetric"
    if look.let_in is None:
        return "cone"
    return "open cone" if look.let_in else "port-restricted"


SEVERAL = "(a full cone or restricted cone NAT)"
TEXTS: dict[NatKind, str] = {
    "none": "no NAT and no firewall in between: a direct path to everybody",
    "firewall": "no NAT, and a firewall that lets in only whom you have sent to: a direct path to "
    "everybody but players whose router is symmetric",
    "open cone": f"your router shows everybody the same port, and lets others in {SEVERAL}: a "
    "direct path to everybody",
    "port-restricted": "your router lets in only whom you have sent to (a port-restricted cone "
    "NAT): a direct path to everybody but players whose router is symmetric",
    "cone": "your router shows everybody the same port (a cone NAT): a direct path at least to "
    "everybody whose router is not symmetric",
    "symmetric": "your router gives every destination another port (a symmetric NAT): a direct "
    "path only to players with no router or an open one; the server relays the others, which takes "
    "as long as the way by the server",
    "blocked": "UDP does not get through: no audio, neither directly nor by the server",
}
ADVICE: dict[NatKind, str] = {
    "symmetric": "for direct paths to all: IPv6, another network than a phone's or an office's, or "
    "a router setting such as 'full cone' or 'open NAT'",
    "blocked": "let UDP through: here outwards, on the server's side inwards",
}


def judge_nat(look: NatLook | None) -> Finding:
    """The finding; None: nobody could be asked."""
    if look is None:
        text = "not looked at: the server answers no STUN"
        return unknown(NAME, text, "name a server that does: --stun HOST:PORT")
    kind = kind_of(look)
    figures: dict[str, Figure] = {"kind": kind, "stun": look.asked}
    if look.seen:
        figures["seen_as"] = [_in_words(at) for at in look.seen]
    if kind == "blocked":
        text = f"{look.asked} does not answer STUN; if it is a STUN server, {TEXTS[kind]}"
        return Finding(NAME, "warning", text, ADVICE[kind], figures)
    text = f"seen as {_in_words(look.seen[0])}; {TEXTS[kind]}"
    if look.places < 2 and kind not in ("none", "firewall"):
        text = f"seen as {_in_words(look.seen[0])}; there is a router, of a kind that one port"
        advice = "ask more of them: --stun HOST:PORT --stun HOST:PORT"
        return unknown(NAME, f"{text} of a STUN server cannot tell", advice)
    status: Literal["good", "warning"] = "warning" if kind in ADVICE else "good"
    return Finding(NAME, status, text, ADVICE.get(kind, ""), figures)


def _in_words(at: Address) -> str:
    return f"[{at[0]}]:{at[1]}" if ":" in at[0] else f"{at[0]}:{at[1]}"
