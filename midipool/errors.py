"""Every error midiPool raises on purpose.

MidiPoolError
├── InvalidValue          a value that breaks a rule of ours (tempo, meter, position, name)
├── Refused               the room does not do what a member asked
├── InvalidMessage        the peer sent something that is not a message
├── InvalidDatagram       the peer sent bytes that are not one of our datagrams
└── Unavailable           a device, library, port or host is not there; says what to do
"""


class MidiPoolError(Exception):
    """The base of all errors that midiPool raises on purpose."""


class InvalidValue(MidiPoolError, ValueError):
    """A value breaks a rule; `field` names it."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class Refused(MidiPoolError):
    """The room refuses a command or a member; `code` is for programs, the text for people."""

    def __init__(self, code: str, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.field = field


class InvalidMessage(MidiPoolError):
    """A message cannot be decoded; `field` is the path of what is wrong, `id` the sender's."""

    def __init__(self, text: str, field: str | None = None, id: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.field = field
        self.id = id


class InvalidDatagram(MidiPoolError):
    """A datagram is not one of ours."""


class Unavailable(MidiPoolError):
    """Something outside of midiPool is missing; the text says what, and what to do."""
