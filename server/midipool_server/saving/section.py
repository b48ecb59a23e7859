"""A feature's part of the room's document (midipool/snapshot). Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from midipool_server.outgoing import Outgoing


class Loading(NamedTuple):
    """A document is loaded."""

    now_us: int
    actor: str | None
    """The member who does it; None is a remote that acts for nobody."""
    at_us: int
    """Room time from which on its timeline holds."""


class Then(NamedTuple):
    """When a room was kept that comes back."""

    shift_us: int
    """So much more the room's clock shows now at the same instant."""
    is_same_clock: bool
    """Else the shift is as good as the wall clock."""


def _nothing_against(loading: Loading, said: Any) -> None:
    """What its type allows can be loaded."""


@dataclass(frozen=True, slots=True)
class Section:
    """What `Snapshot` has under this name. All sections are checked before any is loaded."""

    name: str
    save: Callable[[int], Any]
    """Takes the room time; None leaves the section out."""
    load: Callable[[Loading, Any], list[Outgoing]]
    """Does not fail any more; returns what must be sent."""
    check: Callable[[Loading, Any], None] = _nothing_against
    """Raises Refused, and changes nothing."""
