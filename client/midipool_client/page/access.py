"""How programs of the same user get in: a header with a secret, in a file of the user's own."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from midipool.errors import Unavailable
from midipool_client import tokens


@contextlib.contextmanager
def header_file(device: str, secret: str) -> Iterator[Path]:
    """A file with `Authorization: Bearer SECRET`, as long as the context lasts.

    Raises Unavailable when it cannot be written.
    """
    folders = tokens.folders()
    if not folders:
        raise Unavailable("there is no folder for the page's secret: set XDG_RUNTIME_DIR")
    name = hashlib.sha256(device.encode()).hexdigest()[:24]
    path = folders[0].parent / "page" / f"{name}.header"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What a client left that was killed; a link at this place is not followed.
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(handle, "w") as file:
            file.write(f"Authorization: Bearer {secret}\n")
            ours = os.fstat(handle).st_ino
    except OSError as error:
        raise Unavailable(f"programs cannot use the page: {path}: {error.strerror}") from None
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            if path.stat().st_ino == ours:  # not that of a client that was started later
                path.unlink()
