"""`midipool-client room URL save` and `load`: a room as a file."""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midipool_client.room_url import RoomUrl


def add_options(actions: Any, acting: argparse.ArgumentParser) -> None:
    """Describe the actions."""
    save = actions.add_parser("save", help="write the room to a file, as YAML", parents=[acting])
    save.add_argument("file", metavar="FILE", help="comments in it stay; - writes to stdout")
    load = actions.add_parser("load", help="make the room what a file says", parents=[acting])
    load.add_argument("file", metavar="FILE", help="- reads stdin")
    load.add_argument("--check", action="store_true", help="only say whether it could be loaded")


def run(url: "RoomUrl", options: argparse.Namespace) -> int:
    """Do it; raises MidiPoolError."""
    if options.action == "save":
        _save(url, options)
    else:
        _load(url, options)
    return 0


def _save(url: "RoomUrl", options: argparse.Namespace) -> None:
    from midipool_client.snapshots.asking import save_room
    from midipool_client.snapshots.room_file import text_of

    before = None if options.file == "-" else _before(Path(options.file))
    text = text_of(asyncio.run(save_room(url, options.acting_as)), before)
    if options.file == "-":
        print(text, end="")
    else:
        _write(Path(options.file), text)


def _load(url: "RoomUrl", options: argparse.Namespace) -> None:
    from midipool.errors import MidiPoolError
    from midipool_client.snapshots.asking import load_room
    from midipool_client.snapshots.room_file import read_file

    file = read_file(_read(options.file), options.file)
    for note in file.notes:
        print(note, file=sys.stderr)
    if options.check:
        print(f"{options.file}: can be loaded")
        return
    try:
        asyncio.run(load_room(url, file.data, options.acting_as))
    except MidiPoolError as error:
        raise file.refused(error) from None


def _before(path: Path) -> str | None:
    """What a file says that is to be written anew; raises InvalidValue if it is another's."""
    from midipool.errors import InvalidValue
    from midipool_client.snapshots.room_file import is_room

    if not path.exists():
        return None
    content = _read(str(path))
    if content and not is_room(content):
        rule = "is there and is no room that was saved: choose another name, or move it away"
        raise InvalidValue(str(path), rule)
    return content.decode("utf-8-sig") or None


def _read(file: str) -> bytes:
    from midipool.errors import InvalidValue
    from midipool.snapshot import MAX_BYTES

    try:
        if file == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with open(file, "rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidValue("FILE", f"{file} cannot be read: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    """The file is whole, or as it was."""
    from midipool.errors import Unavailable

    path = Path(os.path.realpath(path))
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
    new = None
    try:
        file, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with open(file, "w", encoding="utf-8") as stream:
            os.fchmod(file, mode)
            stream.write(text)
            stream.flush()
            os.fsync(file)
        os.replace(new, path)
    except OSError as error:
        if new is not None:
            with contextlib.suppress(OSError):
                os.unlink(new)
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
