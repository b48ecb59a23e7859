"""The list of modules, as a snapshot has it. Pure."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from midipool.messages import MAX_MODULES, Name, OptionValues
from midipool.snapshot.fields import BadSnapshot


class ModuleEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A module without how it does."""

    name: Name
    program: Name | None = None
    """The operator's; none: it is called as the module."""
    options: OptionValues = {}
    stopped: bool = False
    """A host stopped it."""

    @property
    def runs(self) -> str:
        """Which program it is."""
        return self.name if self.program is None else self.program


ModuleEntries = Annotated[list[ModuleEntry], Meta(max_length=MAX_MODULES)]


def broken_rules(entries: Sequence[ModuleEntry]) -> Iterator[BadSnapshot]:
    """Rules for all of them together."""
    names = [entry.name for entry in entries]
    for place, name in enumerate(names):
        if name in names[:place]:
            yield BadSnapshot(("modules", place, "name"), f"{name!r} is there twice")
