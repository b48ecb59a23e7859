"""What all requests of a page have. Pure."""

from midipool.messages import CommandId, Message


class Request(Message, frozen=True, kw_only=True):
    """The base of what a page asks for; answered by `done` or `refused` with its `id`."""

    id: CommandId
    """Chosen by the page, repeated in the answer."""
