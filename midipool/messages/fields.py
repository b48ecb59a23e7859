"""The types of the messages' fields, and the base of all messages."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from midipool.tempo import MAX_BPM, MIN_BPM

MAX_MESSAGE_BYTES = 64 * 1024
MAX_TIMELINES = 128

NAME_RULE = "1 to 64 characters, none of them a control character, no space at the ends"
ROOM_NAME_RULE = "1 to 64 letters, digits, `_`, `.` or `-`, starting with a letter or digit"
TEXT_RULE = "at most 200 characters, none of them a control character"
HEX_RULE = "at most 64 hexadecimal digits"

# Unicode's C0 and C1 controls and its line separators are control characters here. Python's `$`
# would let a newline at the end pass.
_NAME = r"^[^\x00-\x20\x7f-\xa0]([^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\x00-\x20\x7f-\xa0])?$(?!\n)"
_TEXT = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$(?!\n)"
_ROOM_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$(?!\n)"

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=_NAME, description=NAME_RULE)]
RoomName = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=_ROOM_NAME, description=ROOM_NAME_RULE)
]
Text = Annotated[str, Meta(max_length=200, pattern=_TEXT, description=TEXT_RULE)]
Token = Annotated[str, Meta(max_length=64, pattern=r"^[0-9a-f]*$(?!\n)", description=HEX_RULE)]
ClockId = Annotated[str, Meta(max_length=64, pattern=r"^[0-9a-f]+$(?!\n)", description=HEX_RULE)]
Bpm = Annotated[float, Meta(ge=MIN_BPM, le=MAX_BPM)]
EngineState = Literal["running", "starting"]
Mode = Literal["open", "leader", "vote", "locked"]
Capability = Literal[
    "chat", "songs", "snapshots", "going_down", "access", "graph", "recorder", "modules"
]
CAPABILITIES: tuple[Capability, ...] = (
    "chat",
    "songs",
    "snapshots",
    "going_down",
    "access",
    "graph",
    "recorder",
    "modules",
)
MemberKind = Literal[
    "player", "listener", "playback", "recorder", "module", "instrument", "analyzer"
]
"""What a member takes in and gives out (midipool/graph/nodes.py); the last three are programs."""
MODULE_KINDS: frozenset[MemberKind] = frozenset({"module", "instrument", "analyzer"})
VoteId = Annotated[int, Meta(ge=1, le=2**53)]
CommandId = Annotated[int, Meta(ge=0, le=2**53)]
Nanoseconds = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Microseconds = Annotated[float, Meta(ge=-1e15, le=1e15)]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base of all messages."""
