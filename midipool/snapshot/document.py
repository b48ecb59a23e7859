"""The document: a section for each feature, all of them optional. Pure.

A new feature is one line in `Snapshot`, and one in the server's list of sections.
"""

from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from midipool.messages import MAX_MESSAGE_BYTES, Name
from midipool.snapshot import modules, songs
from midipool.snapshot.fields import BadSnapshot, Path, convert, plain
from midipool.snapshot.graph import GraphSection
from midipool.snapshot.members import MemberPart
from midipool.snapshot.migrations import VERSION, migrated
from midipool.snapshot.mode import ModeSection
from midipool.snapshot.modules import ModuleEntries
from midipool.snapshot.roles import Roles
from midipool.snapshot.songs import SongEntry
from midipool.snapshot.timeline import TimelineSection
from midipool.snapshot.unknown import Kept, paths, unknown, with_unknown

MAX_BYTES = 1 << 20
MAX_KEPT_BYTES = MAX_MESSAGE_BYTES
MOST_MEMBERS = 256
_Short = Annotated[str, Meta(max_length=200)]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A room; a section that is missing leaves as it is what it is about."""

    midipool_room: int
    """The version of the document."""
    room: _Short = ""
    """What the room was called: for people."""
    saved: _Short = ""
    """When: for people."""
    timeline: TimelineSection | None = None
    mode: ModeSection | None = None
    roles: Roles | None = None
    graph: GraphSection | None = None
    songs: list[SongEntry] | None = None
    modules: ModuleEntries | None = None
    members: Annotated[dict[Name, MemberPart], Meta(max_length=MOST_MEMBERS)] | None = None


class Read(NamedTuple):
    """A document that was checked."""

    snapshot: Snapshot
    kept: Kept
    """What it says that we do not know."""
    unknown: list[Path]
    """Where that is."""


def read(document: Any) -> Read:
    """Plain data of any version, checked wholly; raises BadSnapshot."""
    document = migrated(document)
    snapshot = convert(document, Snapshot)
    for broken in songs.broken_rules(snapshot.songs or ()):
        raise broken
    for broken in modules.broken_rules(snapshot.modules or ()):
        raise broken
    kept = unknown(Snapshot, document)
    if len(msgspec.json.encode(kept)) > MAX_KEPT_BYTES:
        rule = f"has more than {MAX_KEPT_BYTES // 1024} KiB of what midiPool does not know"
        raise BadSnapshot((), rule)
    return Read(snapshot, kept, list(paths(kept, Snapshot, document)))


def to_builtins(snapshot: Snapshot, kept: Kept | None = None) -> dict[str, Any]:
    """Plain data, with what was kept of another document."""
    said = plain(snapshot)
    return said if kept is None else with_unknown(said, kept)  # type: ignore[no-any-return]


def encode(snapshot: Snapshot, kept: Kept | None = None) -> bytes:
    """JSON, which is YAML too."""
    return msgspec.json.encode(to_builtins(snapshot, kept))


def decode(data: bytes) -> Read:
    """A document in JSON; raises BadSnapshot."""
    if len(data) > MAX_BYTES:
        raise BadSnapshot((), f"is longer than {MAX_BYTES // 1024} KiB")
    try:
        return read(msgspec.json.decode(data))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadSnapshot((), f"is not JSON: {error}") from None


def new(**sections: Any) -> Snapshot:
    """A document of this version."""
    return Snapshot(midipool_room=VERSION, **sections)
