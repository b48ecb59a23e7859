"""The user's recordings: a folder of folders, each with sounds, a MIDI file and a manifest."""

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from midipool.errors import MidiPoolError, Refused, Unavailable
from midipool_client.recording.journal import JOURNAL, finish_midi
from midipool_client.recording.manifest import FILE, Manifest, read_manifest, write_manifest
from midipool_client.recording.names import check_recording_name

LOCK = ".recording"
UNFINISHED = ("waiting", "recording")


def default_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where recordings are, by the platform's custom; raises Unavailable without a home."""
    xdg = environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(xdg):
        return Path(xdg, "midipool", "recordings")
    home = environ.get("HOME") or os.path.expanduser("~")
    if not os.path.isabs(home):
        raise Unavailable("there is no home folder for recordings: set XDG_DATA_HOME")
    folder = "Library/Application Support" if platform == "darwin" else ".local/share"
    return Path(home, folder, "midipool", "recordings")


class Library:
    """All recordings below a folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = default_folder(os.environ) if folder is None else folder

    def names(self) -> list[str]:
        """Of all recordings, in order."""
        try:
            return sorted(path.parent.name for path in self.folder.glob(f"*/{FILE}"))
        except OSError:
            return []

    def all(self) -> Iterator[tuple[str, Manifest]]:
        """All that can be read."""
        for name in self.names():
            with contextlib.suppress(MidiPoolError):
                yield name, self.show(name)

    def path(self, name: str) -> Path:
        """A recording's folder; raises InvalidValue, or Refused when there is none."""
        path = self.folder / check_recording_name(name)
        if not (path / FILE).is_file():
            raise Refused("no_recording", f"there is no recording {name!r}")
        return path

    def show(self, name: str) -> Manifest:
        """Its manifest; what a crash left unfinished is finished. Raises MidiPoolError."""
        path = self.path(name)
        manifest = read_manifest(path)
        if manifest.state not in UNFINISHED or is_live(path):
            return manifest
        manifest = read_manifest(path)  # it may have ended just now
        return self._finish(path, manifest) if manifest.state in UNFINISHED else manifest

    def rename(self, name: str, new: str) -> None:
        """Raises MidiPoolError."""
        path = self._idle(name)
        to = self.folder / check_recording_name(new)
        if to.exists():
            raise Refused("name_taken", f"there is a recording {new!r} already")
        try:
            path.rename(to)
        except OSError as error:
            raise Unavailable(f"cannot rename {path}: {error.strerror}") from None

    def delete(self, name: str) -> None:
        """Raises MidiPoolError."""
        path = self._idle(name)
        try:
            shutil.rmtree(path)
        except OSError as error:
            raise Unavailable(f"cannot delete {path}: {error.strerror}") from None

    def bytes(self) -> int:
        """What all of it takes."""
        return sum(size_of(self.folder / name) for name in self.names())

    def _idle(self, name: str) -> Path:
        path = self.path(name)
        if is_live(path):
            raise Refused("recording", f"{name!r} is being recorded: stop it first")
        return path

    def _finish(self, path: Path, manifest: Manifest) -> Manifest:
        """What the client did not come to: the lengths are in the files' heads."""
        tracks = [
            msgspec.structs.replace(t, frames=frames_in(path / t.file)) for t in manifest.tracks
        ]
        seconds = max((t.frames for t in tracks), default=0) / (manifest.rate or 1)
        why = manifest.why or "the client was killed, or the machine went down"
        finished = msgspec.structs.replace(
            manifest, tracks=tracks, seconds=seconds, state="cut", why=why
        )
        with contextlib.suppress(OSError):
            finished = finish_midi(path, finished)
            write_manifest(path, finished)
            (path / JOURNAL).unlink(missing_ok=True)
        return finished


def frames_in(path: Path) -> int:
    """How long a sound file says it is; 0 when it cannot be read."""
    import soundfile

    try:
        return int(soundfile.info(str(path)).frames)
    except (OSError, RuntimeError):
        return 0


def size_of(path: Path) -> int:
    """Bytes of a recording."""
    total = 0
    with contextlib.suppress(OSError):
        for file in path.iterdir():
            total += file.lstat().st_size
    return total


def is_live(path: Path) -> bool:
    """Whether a client is recording there."""
    try:
        file = os.open(path / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def lock(path: Path) -> int:
    """Say that somebody records there, as long as the file is open; raises OSError."""
    file = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file
