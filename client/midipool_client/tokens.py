"""The tokens of the rooms that this user has joined, so that a shell can act for the member.

One file for each room and name, that nobody else can read, in `midipool/tokens` below
XDG_RUNTIME_DIR, else below XDG_STATE_HOME, else below ~/.local/state (XDG Base Directory).
"""

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Annotated

import msgspec

from midipool.errors import Unavailable
from midipool.messages import Name, Token
from midipool_client.room_url import RoomUrl

MAX_FILES = 100
MAX_FILE_BYTES = 4096


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    """What a file holds."""

    url: Annotated[str, msgspec.Meta(max_length=2048)]
    name: Name
    token: Token
    saved_ns: int


def save(url: RoomUrl, name: str, token: str) -> None:
    """Keep a member's token, in place of an older one; raises Unavailable."""
    places = folders()
    if not places:
        raise Unavailable("there is no home folder to keep a token in: set XDG_STATE_HOME")
    folder = places[0]
    kept = _Kept(str(url), name, token, time.time_ns())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / _file_name(url, name), msgspec.json.encode(kept))
        _drop_oldest(folder)
    except OSError as error:
        text = f"{folder} cannot be written ({error.strerror})"
        raise Unavailable(f"{text}: set XDG_STATE_HOME to a folder that can") from None


def load(url: RoomUrl) -> list[tuple[str, str]]:
    """(name, token) of the members that this user is or was in a room, the newest first.

    A file that cannot be read, or is not one of ours, is passed over.
    """
    newest: dict[str, _Kept] = {}
    for kept in filter(None, map(_read, _files(folders()))):
        known = newest.get(kept.name)
        if kept.url == str(url) and (known is None or known.saved_ns < kept.saved_ns):
            newest[kept.name] = kept
    in_order = sorted(newest.values(), key=lambda kept: kept.saved_ns, reverse=True)
    return [(kept.name, kept.token) for kept in in_order]


def forget(url: RoomUrl, name: str) -> None:
    """Remove a member's token: it has left the room."""
    for folder in folders():
        with contextlib.suppress(OSError):
            (folder / _file_name(url, name)).unlink()


def folders() -> list[Path]:
    """Where tokens can be; the first is where they are kept. A relative path counts as unset."""
    given = [os.environ.get("XDG_RUNTIME_DIR", ""), os.environ.get("XDG_STATE_HOME", "")]
    bases = [Path(text) for text in given if os.path.isabs(text)]
    home = os.path.expanduser("~")
    if not os.path.isabs(given[1]) and os.path.isabs(home):
        bases.append(Path(home, ".local", "state"))
    return [base / "midipool" / "tokens" for base in bases]


def _file_name(url: RoomUrl, name: str) -> str:
    """A name from the network never becomes a path."""
    return hashlib.sha256(f"{url}\n{name}".encode()).hexdigest()[:32] + ".json"


def _files(folders: list[Path]) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        with contextlib.suppress(OSError):
            found += [path for path in folder.iterdir() if path.suffix == ".json"]
    return found


def _read(path: Path) -> _Kept | None:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(MAX_FILE_BYTES + 1), type=_Kept)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all; readable by its owner alone from the first byte on (mkstemp: 0600)."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _drop_oldest(folder: Path) -> None:
    """Clients that were killed leave their files behind."""
    dated: list[tuple[int, Path]] = []
    for path in _files([folder]):
        with contextlib.suppress(OSError):
            dated.append((path.stat().st_mtime_ns, path))
    for _, path in sorted(dated)[:-MAX_FILES]:
        with contextlib.suppress(OSError):
            path.unlink()
