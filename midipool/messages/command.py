"""The base of commands."""

from typing import Annotated, Literal

from msgspec import Meta

from midipool.messages.fields import CommandId, Message


class Command(Message, frozen=True):
    """The base of what changes the room's timeline; answered by `ok` or `error` with its `id`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    at: Literal["now", "bar"] = "now"
    """`now` is one lead time ahead, `bar` the first bar line after that."""
    epoch: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    """When given and not the room's any more, the command is refused as stale."""
