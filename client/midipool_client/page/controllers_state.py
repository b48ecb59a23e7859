"""What a page shows of controllers. Pure."""

import msgspec


class LearnedView(msgspec.Struct, frozen=True, kw_only=True):
    """A controller, and what it does."""

    source: str
    """`cc:CHANNEL:NUMBER`, `cc14:…` for one of 14 bits, `note:…`, `program:…`, `bend:CHANNEL`."""
    does: str
    how: str
    waits: bool = False
    """Whether it must first be moved to where its value is."""


class ControllersPart(msgspec.Struct, frozen=True, kw_only=True):
    """Controllers and pedals at the control input."""

    learning: str = ""
    """For what the next one is learned; empty while nothing is."""
    learned: list[LearnedView] = []
    problem: str = ""
    """Why the last one that was moved did nothing."""
