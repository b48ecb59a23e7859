"""What a room sends, and to whom. Pure."""

from dataclasses import dataclass

from midipool.errors import InvalidValue, Refused
from midipool.messages import Capability, Error, Message

EVERYBODY: None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to one member, or to everybody."""

    message: Message
    to: int | None = EVERYBODY
    needs: Capability | None = None
    """Only for those whose clients understand this part of the protocol."""
    can_wait: bool = False
    """Not for those who have much unread: a newer one will come."""


def refusal(error: Refused | InvalidValue, id: int | None = None) -> Error:
    """The message that tells a client that it was refused."""
    if isinstance(error, InvalidValue):
        return Error(code="bad_value", message=str(error), field=error.field, id=id)
    return Error(code=error.code, message=error.text, field=error.field, id=id)
