"""What a node takes in and gives out, and which of them pass on what they hear. Pure."""

from dataclasses import dataclass

from midipool.messages import Medium, MemberKind

ALL, CLICK = "@all", "@click"
MEDIA: tuple[Medium, ...] = ("audio", "midi")


@dataclass(frozen=True, slots=True)
class Ports:
    """Of a kind of node."""

    gives: frozenset[Medium]
    takes: frozenset[Medium]
    passes_on: bool
    """What it hears may be heard in what it gives, also as the other medium."""
    words: str
    """For people: what it is."""


_BOTH: frozenset[Medium] = frozenset(MEDIA)
_NONE: frozenset[Medium] = frozenset()
# A player's ears and hands are no wire: what one plays is one's own.
PORTS: dict[MemberKind, Ports] = {
    "player": Ports(_BOTH, _BOTH, False, "a player"),
    "listener": Ports(_NONE, _BOTH, False, "a listener, who only hears"),
    "playback": Ports(_BOTH, _NONE, False, "a recording that is played"),
    "recorder": Ports(_NONE, _BOTH, False, "a recorder"),
    "module": Ports(_BOTH, _BOTH, True, "a module, which passes on what it hears"),
    "instrument": Ports(_BOTH, _NONE, False, "a module that only plays"),
    "analyzer": Ports(_NONE, _BOTH, False, "a module that only hears"),
}
CLICK_PORTS = Ports(frozenset({"midi"}), _NONE, False, "the click")


def shown(name: str) -> str:
    """A node, group or all of them, for people."""
    return {ALL: "everybody", CLICK: "the click"}.get(name, name)
