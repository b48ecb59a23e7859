"""A room as a document that people can read, keep and load again; a section for each feature."""

from midipool.snapshot.document import (
    MAX_BYTES,
    Snapshot,
    decode,
    encode,
    read,
    to_builtins,
)
from midipool.snapshot.fields import BadSnapshot, Path
from midipool.snapshot.members import Effect, MemberPart
from midipool.snapshot.migrations import VERSION
from midipool.snapshot.mode import ModeSection
from midipool.snapshot.modules import ModuleEntry
from midipool.snapshot.songs import SongEntry
from midipool.snapshot.timeline import Place, RampLeft, TimelineSection
from midipool.snapshot.unknown import Kept

__all__ = [
    "MAX_BYTES",
    "VERSION",
    "BadSnapshot",
    "Effect",
    "Kept",
    "MemberPart",
    "ModeSection",
    "ModuleEntry",
    "Path",
    "Place",
    "RampLeft",
    "Snapshot",
    "SongEntry",
    "TimelineSection",
    "decode",
    "encode",
    "read",
    "to_builtins",
]
