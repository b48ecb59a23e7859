"""A room as a file: what the server says becomes YAML, and YAML what the server takes. Pure."""

from typing import NamedTuple

import msgspec

from midipool import snapshot
from midipool.errors import InvalidValue, MidiPoolError, Refused
from midipool.snapshot import BadSnapshot, Snapshot
from midipool.snapshot.fields import in_words, path_of
from midipool_client.snapshots.yaml_reader import BadFile, Document, Spot, read_yaml
from midipool_client.snapshots.yaml_writer import rewritten, write_yaml

HEAD = "# A room of midiPool: `midipool-client room URL load FILE` makes a room like this.\n"


class RoomFile(NamedTuple):
    """A file that was checked."""

    data: bytes
    """As the server takes it."""
    notes: list[str]
    """What of it midiPool does not know."""
    snapshot: Snapshot
    document: Document

    def refused(self, error: MidiPoolError) -> MidiPoolError:
        """Why a server does not load it, with line and column if it says where that is."""
        if not isinstance(error, Refused) or error.field is None:
            return error
        path = path_of(error.field)
        if not path or path[0] not in self.document.data:
            return error
        line, column = self.document.spot(path)
        where = f"{self.document.file}: line {line}, column {column}: {error.field}"
        return Refused(error.code, f"{where}: {error}")


def text_of(data: bytes, before: str | None = None) -> str:
    """The file for what a server said; `before` is the one whose comments stay."""
    read = snapshot.decode(data)
    said = snapshot.to_builtins(read.snapshot, read.kept)
    return HEAD + write_yaml(said) if before is None else rewritten(before, said)


def read_file(content: bytes, file: str) -> RoomFile:
    """A file of any version, checked wholly; raises BadFile, with line and column."""
    document = read_yaml(content, file)
    try:
        read = snapshot.read(document.data)
        notes = [_note(document, path) for path in read.unknown]
        data = snapshot.encode(read.snapshot, read.kept)
    except BadSnapshot as error:
        raise document.located(error) from None
    except (msgspec.MsgspecError, RecursionError, ValueError, OverflowError) as error:
        raise BadFile(file, Spot(1, 1), f"holds what cannot be sent: {error}") from None
    if len(data) > snapshot.MAX_BYTES:
        raise BadFile(file, Spot(1, 1), f"is longer than {snapshot.MAX_BYTES // 1024} KiB")
    return RoomFile(data, notes, read.snapshot, document)


def is_room(content: bytes) -> bool:
    """Whether a file that is to be written over is one of ours, so that comments may stay."""
    try:
        read_file(content, "")
    except InvalidValue:
        return False
    return True


def _note(document: Document, path: snapshot.Path) -> str:
    line, column = document.spot(path, at_key=True)
    words = f"`{in_words(path)}` is unknown here: it is kept, and does nothing"
    return f"{document.file}: line {line}, column {column}: {words}"
