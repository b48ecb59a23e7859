"""What a page asks of controllers. Pure."""

from typing import Annotated, Any

from msgspec import Meta

from midipool_client.controllers.target import How
from midipool_client.page.request import Request

SourceName = Annotated[str, Meta(max_length=16)]


class Learn(Request, tag="learn", frozen=True, kw_only=True):
    """Let the controller that is moved next do this, until it is moved or 30 s are over."""

    request: dict[str, Any]
    """A request of the page without its `id`; or `{"type": "tap"}` (the tempo), `"play"` (start or
    stop), `"record"` (begin or end)."""
    field: Annotated[str, Meta(max_length=64)] = ""
    """Which of its fields moves; without it the one that lacks, or that a `set_…` sets last."""
    how: How = "auto"
    """`pickup` takes hold of a level where it is, `jump` anywhere; `relative` is for endless
    encoders. `toggle` turns a switch over at each press, `hold` keeps it on while pressed."""
    low: float | None = None
    """A level's value at the controller's lower end; null is as low as can be."""
    high: float | None = None
    source: SourceName = ""
    """Take this controller, as `cc:1:7`, and wait for none."""


class LearnEnd(Request, tag="learn_end", frozen=True, kw_only=True):
    """Learn nothing any more."""


class Forget(Request, tag="forget", frozen=True, kw_only=True):
    """Let a controller do nothing."""

    source: SourceName
    """As `cc:1:7`; `all` is every one."""


LearnRequest = Learn | LearnEnd | Forget
