"""Members that are programs, and those of them that the server starts."""

from typing import Annotated

import msgspec
from msgspec import Meta

Frames = Annotated[int, Meta(ge=0, le=2**53)]


class ModuleHealth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a program keeps up with the room, since it joined."""

    overrun_frames: Frames = 0
    """Heard, and not read in time."""
    underrun_frames: Frames = 0
    """To be played, and not written in time."""
