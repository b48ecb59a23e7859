"""What members say to one another."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from midipool.messages.fields import CommandId, Message, Name
from midipool.timeline import RoomTimeUs

KEPT_LINES = 200
MAX_LINE_CHARACTERS = 500
MAX_RETOLD_LINES = 100

LINE_RULE = (
    f"1 to {MAX_LINE_CHARACTERS} characters in one line, not only spaces, none of them a control"
    " character or one that turns the direction of writing"
)
# Whoever reads it in a terminal must see what was said, and nothing else done.
UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
_LINE = rf"^(?=.*\S)[^{UNSEEN}]*$(?!\n)"
_LINE_OR_NOTHING = rf"^[^{UNSEEN}]*$(?!\n)"

LineText = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_LINE_CHARACTERS, pattern=_LINE, description=LINE_RULE),
]
LineOrNothing = Annotated[
    str, Meta(max_length=MAX_LINE_CHARACTERS, pattern=_LINE_OR_NOTHING, description="as in `say`")
]
UnixMs = Annotated[int, Meta(ge=0, le=2**53)]


class ChatLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a room's chat."""

    number: Annotated[int, Meta(ge=0, le=2**53)]
    """Rises by one with each line of the room."""
    kind: Literal["said", "came", "left", "did"]
    """What a member said, that it joined or left, or what it did to the room."""
    name: Name | None
    """The member; null where a remote that acts for nobody did something."""
    text: LineOrNothing = ""
    """What was said or done."""
    at_us: RoomTimeUs = 0
    """When, in room time."""
    unix_ms: UnixMs = 0
    """When, by the server's wall clock: for people."""
    retold: bool = False
    """It is from before the server was restarted, and what a member remembered of it."""


class Say(Message, tag="say", frozen=True):
    """Say something to everybody in the room; answered by `ok` or `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    text: LineText
    """One line. With `/` in front it is a [command](#chat)."""


class Retell(Message, tag="retell", frozen=True):
    """A member hands over what it remembers to a room whose chat begins anew. No answer."""

    lines: Annotated[list[ChatLine], Meta(min_length=1, max_length=MAX_RETOLD_LINES)]
    """The newest of what was said, in order."""


class Chat(Message, tag="chat", frozen=True, omit_defaults=False):
    """The lines that the room keeps: behind `welcome`, and when somebody retold some."""

    lines: list[ChatLine]
    """In order, 200 at most."""
    retell: bool
    """Whether the room takes a `retell`."""


class ChatNews(Message, tag="chat_line", frozen=True):
    """Somebody says or does something."""

    line: ChatLine
    """The newest line."""
