"""The folder in which a server keeps its rooms; each file is whole, or as it was before.

rooms/room-jam.json          the room as it is; room-jam.json.before: as it was a change ago
history/room-jam/2026-11-28T19-20-11Z.json    documents, which `room URL load` takes
"""

import calendar
import contextlib
import fcntl
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from midipool.errors import InvalidValue, Unavailable
from midipool_server.saving import history
from midipool_server.saving.room_state import RoomState, decode

log = logging.getLogger(__name__)

MAX_BYTES = 16 << 20
MOST_DAMAGED = 16
ENDING = ".json"
BEFORE = ".json.before"
TIME = "%Y-%m-%dT%H-%M-%SZ"


class StateFolder:
    """One server at a time has it. Everything here may wait for the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rooms = folder / "rooms"
        self._history = folder / "history"
        try:
            for path in (folder, self._rooms, self._history):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            text = f"{folder} cannot be used ({error.strerror}): choose another --state-dir"
            raise Unavailable(text) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            text = f"another server keeps its rooms in {folder}: choose another --state-dir"
            raise Unavailable(text) from None

    def close(self) -> None:
        """Another server may have it."""
        os.close(self._lock)

    # ---- rooms ----

    def rooms(self) -> list[RoomState]:
        """Those that were kept; what is damaged is set aside, and the one before is taken."""
        stems = {path.name.partition(".")[0] for path in self._rooms.glob("room-*.json*")}
        found = [self._room(stem) for stem in sorted(stems)]
        return [state for state in found if state is not None]

    def write(self, room: str, data: bytes) -> None:
        """Keep a room; raises OSError, and then what was kept is as before."""
        path = self._rooms / f"{stem_of(room)}{ENDING}"
        before = self._rooms / f"{stem_of(room)}{BEFORE}"
        new = _written(path, data)
        if path.exists():
            before.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # a file system without links has none before
                os.link(path, before)
        new.replace(path)
        _sync(self._rooms)

    def remove(self, room: str) -> None:
        """A room has ended; what it was stays in its history."""
        for ending in (ENDING, BEFORE):
            (self._rooms / f"{stem_of(room)}{ending}").unlink(missing_ok=True)

    def _room(self, stem: str) -> RoomState | None:
        for ending in (ENDING, BEFORE):
            path = self._rooms / f"{stem}{ending}"
            try:
                state = decode(_read(path))
                if stem_of(state.name) != stem:
                    raise InvalidValue("state", f"is of room {state.name}, not of this one")
            except FileNotFoundError:
                continue
            except (InvalidValue, OSError) as error:
                self._set_aside(path, error)
                continue
            if ending == BEFORE:
                log.warning("room %s is as it was one change before the last", state.name)
            return state
        return None

    def _set_aside(self, path: Path, error: Exception) -> None:
        aside = path.with_name(f"damaged-{_name_of(int(time.time()))}-{path.name}")
        log.error("%s is damaged, and set aside as %s: %s", path, aside.name, error)
        with contextlib.suppress(OSError):
            path.replace(aside)
        for old in sorted(self._rooms.glob("damaged-*"))[:-MOST_DAMAGED]:
            old.unlink(missing_ok=True)

    # ---- history ----

    def remember(self, room: str, document: bytes, now_s: int) -> None:
        """Keep a document of a room's past, and fewer of the older ones; raises OSError."""
        folder = self._history / stem_of(room)
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{_name_of(now_s)}{ENDING}"
        _written(path, document).replace(path)
        _sync(folder)
        for at_s in history.superfluous(_times_s(folder), now_s):
            (folder / f"{_name_of(at_s)}{ENDING}").unlink(missing_ok=True)

    def forget_old(self, now_s: int, most_rooms: int) -> None:
        """Of rooms that are long over nothing is kept, nor of more than `most_rooms`."""
        folders = [
            (max(_times_s(folder), default=0), folder) for folder in self._history.glob("room-*")
        ]
        folders.sort(reverse=True)
        for place, (newest_s, folder) in enumerate(folders):
            if place < most_rooms and now_s - newest_s < history.DAYS * history.DAY_S:
                continue
            for path in folder.iterdir():
                path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                folder.rmdir()


def stem_of(room: str) -> str:
    """A file's name for a room: no two rooms share one, whatever the file system's case."""
    return "room-" + re.sub(r"[^a-z0-9_-]", lambda found: f"%{ord(found[0]):02x}", room)


def _name_of(at_s: int) -> str:
    """A file's name for a time, without its ending."""
    return time.strftime(TIME, time.gmtime(at_s))


def _times_s(folder: Path) -> Iterator[int]:
    """From when the documents in a folder are; other files are not ours."""
    for path in folder.glob(f"*{ENDING}"):
        with contextlib.suppress(ValueError):
            yield calendar.timegm(time.strptime(path.stem, TIME))


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InvalidValue("state", f"is longer than {MAX_BYTES >> 20} MiB")
    return data


def _written(path: Path, data: bytes) -> Path:
    """A file beside `path` that is on the disk, to be put in its place."""
    new = path.with_name(f".{path.name}.new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(file, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(file)
    return new


def _sync(folder: Path) -> None:
    """What was renamed in it is so after a power failure too."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
