"""A room as a document: asked for, handed over in pieces, and what members add to it."""

from typing import Annotated

from msgspec import Meta

from midipool.messages.fields import CommandId, Message, Name

PIECE_BYTES = 32 * 1024
MOST_PIECES = 32

Piece = Annotated[bytes, Meta(max_length=PIECE_BYTES, description="at most 32 KiB, as Base64")]
PiecesLeft = Annotated[int, Meta(ge=0, le=MOST_PIECES - 1)]
GatherId = Annotated[int, Meta(ge=1, le=2**53)]


class SaveRoom(Message, tag="room_save", frozen=True):
    """Ask for the room as a [document](saving.md); answered by `room_saved` or `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""


class LoadRoom(Message, tag="room_load", frozen=True):
    """A piece of a document that the room is to become; the last one is answered by `ok` or
    `error`. In mode `vote` the room votes on it."""

    id: CommandId
    """Chosen by the sender, the same in all pieces."""
    data: Piece
    """Of the document's JSON, in order."""
    left: PiecesLeft
    """How many pieces come behind this one."""


class MyPart(Message, tag="my_part", frozen=True):
    """The answer to `part_wanted`. No answer."""

    gather: GatherId
    """As it was asked."""
    data: Piece
    """The member's part of the document as JSON: `mix` and `effects`, both optional."""


class RoomSaved(Message, tag="room_saved", frozen=True):
    """A piece of the room's document."""

    id: CommandId
    """As it was asked."""
    data: Piece
    """Of the document's JSON, in order."""
    left: PiecesLeft
    """How many pieces come behind this one."""


class PartWanted(Message, tag="part_wanted", frozen=True):
    """Somebody saves the room: a member's client is asked for what only it knows."""

    gather: GatherId
    """For `my_part`."""


class PartGiven(Message, tag="part_given", frozen=True):
    """A document was loaded that has a part for this member."""

    data: Piece
    """As in `my_part`; what is missing stays as it is."""
    by: Name | None = None
    """Who loaded it; null for a remote that acts for nobody."""
