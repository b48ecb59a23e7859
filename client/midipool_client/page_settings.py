"""How the player's page is set, whatever address it has, and how that is kept. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from midipool_client.effects.places import BoardName


class PageSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As a page finds it, and leaves it."""

    count_in_bars: Annotated[int, Meta(ge=0, le=8)] = 0
    """That start and continue of the page have."""
    meters: Literal["pre", "post"] = "pre"
    """Before the faders, or behind them."""
    record_format: Literal["flac", "wav"] = "flac"
    quota_gb: Annotated[float, Meta(gt=0)] | None = None
    """That all recordings may take; null is no limit but the disk's."""
    board: BoardName = "own"
    """The board of effects that is shown."""


def page_settings_in(data: Mapping[str, Any]) -> PageSettings:
    """What a settings file says; what it cannot mean is as if it was not said."""
    said = data.get("page", {})
    found: dict[str, Any] = {}
    for name in PageSettings.__struct_fields__ if isinstance(said, dict) else ():
        try:
            msgspec.convert({name: said[name]}, PageSettings)
        except (msgspec.ValidationError, KeyError):
            continue
        found[name] = said[name]
    return msgspec.convert(found, PageSettings)


def as_kept(settings: PageSettings) -> dict[str, Any] | None:
    """What a settings file has of it: what is not as by default; None if all is."""
    said, usual = msgspec.to_builtins(settings), msgspec.to_builtins(PageSettings())
    return {name: value for name, value in said.items() if value != usual[name]} or None
