"""What a node takes in and gives out, and which of them pass on what they hear. Pure."""

from dataclasses import dataclass

from midipool.messages import Medium, MemberKind

MOST_NAME = 64
ALL, CLICK = "@all", "@click"
RECORDER = "recorder "
"""Before the name of who records: no member's name begins so."""
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


def recorder_of(member: str) -> str:
    """What the recorder of a member is called."""
    return f"{RECORDER}{member}"[:MOST_NAME].rstrip()


def why_not_called(name: str) -> str:
    """Why no member may have a name; empty if it may."""
    if name.startswith("@"):
        return "a name that begins with @ is a group's: choose another"
    if name.startswith(RECORDER):
        return f"a name that begins with {RECORDER.strip()!r} is a recorder's: choose another"
    return ""


def shown(name: str) -> str:
    """A node, group or all of them, for people."""
    return {ALL: "everybody", CLICK: "the click"}.get(name, name)
