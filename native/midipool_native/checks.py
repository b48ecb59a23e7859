"""C status codes as Python errors."""

from midipool.errors import Unavailable
from midipool_native._rt import ffi, lib

OK: int = lib.MP_OK
NO_LIBJACK: int = lib.MP_NO_LIBJACK
NO_JACK_SERVER: int = lib.MP_NO_JACK_SERVER
NAME_TAKEN: int = lib.MP_NAME_TAKEN
JACK_FAILED: int = lib.MP_JACK_FAILED
FULL: int = lib.MP_FULL
OUT_OF_RANGE: int = lib.MP_OUT_OF_RANGE
NO_LIBSODIUM: int = lib.MP_NO_LIBSODIUM
NO_MEDIA_KEY: int = lib.MP_NO_MEDIA_KEY


class NativeError(Unavailable):
    """A C call failed; `status` is the C enum's value."""

    def __init__(self, status: int, doing: str) -> None:
        super().__init__(f"{doing}: {status_text(status)}")
        self.status = status


def status_text(status: int) -> str:
    """What a status means."""
    return bytes(ffi.string(lib.mp_status_text(status))).decode()


def check(status: int, doing: str) -> None:
    """Raise NativeError unless `status` is fine."""
    if status != OK:
        raise NativeError(status, doing)
