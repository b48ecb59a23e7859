"""Finds libroc 0.4 and loads it. It is never linked: without it the clock works all the same."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cffi import FFI

from midipool.errors import Unavailable
from midipool_native._rt import ffi as rt_ffi
from midipool_native.roc.header import CDEF, LOG_NONE

VERSION = (0, 4)
ADVICE = (
    "install libroc0.4 (Debian 13 or later: apt-get install libroc0.4; macOS: brew install "
    "roc-toolkit), or run ./run setup, which builds it"
)
_NAMES = ("libroc.so.0.4", "libroc.0.4.dylib", "libroc.dylib")
_FOLDERS = ("/opt/homebrew/lib", "/usr/local/lib")

ffi = FFI()
ffi.cdef(CDEF)


class Library:
    """libroc, loaded: `path` and `version` say which, `lib` has its functions."""

    def __init__(self, path: str) -> None:
        """Raises OSError if it cannot be loaded, Unavailable for another version."""
        self.path = path
        self.lib: Any = ffi.dlopen(path)
        version = ffi.new("roc_version *")
        try:
            self.lib.roc_version_load(version)
        except AttributeError:
            raise Unavailable(f"{path} is not libroc; {ADVICE}") from None
        self.version = f"{version.major}.{version.minor}.{version.patch}"
        if (version.major, version.minor) != VERSION:
            raise Unavailable(f"{path} is libroc {self.version}, not 0.4; {ADVICE}")
        self.lib.roc_log_set_level(LOG_NONE)

    def calls(self) -> Any:
        """A filled `mp_roc_calls *` for the C engine; it owns the memory, so keep it."""
        found = rt_ffi.new("mp_roc_calls *")
        for field, name in _CALLS.items():
            address = int(ffi.cast("uintptr_t", ffi.addressof(self.lib, name)))
            kind = rt_ffi.typeof("mp_roc_calls").fields
            setattr(found, field, rt_ffi.cast(dict(kind)[field].type, address))
        return found


_CALLS = {
    "encoder_push_frame": "roc_sender_encoder_push_frame",
    "encoder_pop_packet": "roc_sender_encoder_pop_packet",
    "encoder_push_feedback": "roc_sender_encoder_push_feedback_packet",
    "decoder_push_packet": "roc_receiver_decoder_push_packet",
    "decoder_pop_frame": "roc_receiver_decoder_pop_frame",
    "decoder_pop_feedback": "roc_receiver_decoder_pop_feedback_packet",
}


def find() -> Library:
    """The first libroc 0.4 that loads: $MIDIPOOL_LIBROC and nothing else if that is set, the
    system's, the per-user cache's. Raises Unavailable, which says what to install."""
    named = os.environ.get("MIDIPOOL_LIBROC")
    if named:
        try:
            return Library(named)
        except OSError as error:
            raise Unavailable(f"MIDIPOOL_LIBROC: {error}") from None
    complaint = f"there is no libroc 0.4, which audio needs; {ADVICE}"
    for path in _candidates():
        try:
            return Library(path)
        except OSError:
            continue
        except Unavailable as error:
            complaint = str(error)
    raise Unavailable(complaint)


@functools.cache
def load() -> Library:
    """What `find` found at first; it stays loaded."""
    return find()


def cache_folder() -> Path:
    """Where `./run setup` puts what it builds once for each user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "midipool"


def tool(name: str) -> Path | None:
    """`roc-send` or `roc-recv` of the same build as the library in the cache, if there is one."""
    return next((path for build in _builds() if (path := build / "bin" / name).exists()), None)


def _candidates() -> Iterator[str]:
    yield from _NAMES
    for folder in _FOLDERS:
        yield from (str(path) for name in _NAMES if (path := Path(folder, name)).exists())
    yield from (str(build / "lib" / _NAMES[0]) for build in _builds())


def _builds() -> list[Path]:
    """Finished builds, the newest first: what has no stamp was cut off."""
    try:
        stamps = list(cache_folder().glob("libroc-0.4.*/stamp"))
        return [s.parent for s in sorted(stamps, key=lambda s: s.stat().st_mtime, reverse=True)]
    except (OSError, RuntimeError):
        return []
