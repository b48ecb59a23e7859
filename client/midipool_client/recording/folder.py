"""A recording's folder: made, noted into, finished. All of it may wait for the disk."""

import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from midipool.errors import Refused, Unavailable
from midipool_client.recording.journal import JOURNAL, finish_midi
from midipool_client.recording.library import Library, lock
from midipool_client.recording.manifest import Manifest, write_manifest
from midipool_client.recording.names import new_recording_name
from midipool_client.recording.track_file import Format
from midipool_client.recording.writer import nearly_full

NO_LIMIT_BYTES = 1 << 62


class Prepared(NamedTuple):
    """A folder with a lock, and how many bytes may be written into it."""

    name: str
    folder: Path
    lock: int
    manifest: Manifest
    most_bytes: int


def prepare(
    library: Library, room: str, player: str, format: Format, quota_gb: float | None
) -> Prepared:
    """A folder for a new recording; raises MidiPoolError."""
    now = datetime.datetime.now().astimezone().replace(microsecond=0)
    manifest = Manifest(room, player, format, now.isoformat())
    try:
        library.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if full := nearly_full(library.folder):
            raise Refused("disk_full", full)
        most_bytes = _most_bytes(library, quota_gb)
        taken = {path.name for path in library.folder.iterdir()}
        name = new_recording_name(taken, now.strftime("%Y-%m-%d-%H%M%S"), room)
        folder = library.folder / name
        folder.mkdir(mode=0o700)
        held = lock(folder)
        write_manifest(folder, manifest)
    except OSError as error:
        raise Unavailable(f"cannot record below {library.folder}: {error.strerror}") from None
    return Prepared(name, folder, held, manifest, most_bytes)


def _most_bytes(library: Library, quota_gb: float | None) -> int:
    if quota_gb is None:
        return NO_LIMIT_BYTES
    most = round(quota_gb * 1e9) - library.bytes()
    if most <= 0:
        raise Refused("quota", f"the recordings take {quota_gb:g} GB already: delete some")
    return most


def note(folder: Path, manifest: Manifest, lines: bytes) -> None:
    """How it stands, and what is new for the journal; raises OSError."""
    _add(folder, lines)
    write_manifest(folder, manifest)


def finish(folder: Path, manifest: Manifest, lines: bytes) -> Manifest:
    """All of it, or nothing where nothing was recorded; raises OSError."""
    if not any(track.frames for track in manifest.tracks):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        return msgspec.structs.replace(manifest, tracks=[])
    _add(folder, lines)
    manifest = finish_midi(folder, manifest)
    write_manifest(folder, manifest)
    (folder / JOURNAL).unlink(missing_ok=True)
    return manifest


def _add(folder: Path, lines: bytes) -> None:
    if lines:
        with (folder / JOURNAL).open("ab") as file:
            file.write(lines)
