"""libroc's context: memory and two threads, shared by all encoders and decoders of a process."""

from types import TracebackType
from typing import Any, Protocol, Self

from midipool.errors import Unavailable
from midipool_native.roc import header
from midipool_native.roc.library import Library, ffi, load
from midipool_native.roc.settings import (
    CHANNELS,
    LARGEST_PACKET_BYTES,
    RATES_HZ,
    payload_type,
)

_BUILT_IN = (10, 11)
_LAYOUTS = {1: header.LAYOUT_MONO, 2: header.LAYOUT_STEREO}


class _Closable(Protocol):
    def close(self) -> None: ...


class Context:
    """It knows every rate and number of channels that midiPool has, so that any pair matches."""

    def __init__(self, library: Library | None = None) -> None:
        """Raises Unavailable, without libroc for instance."""
        self.library = library or load()
        self._lib = self.library.lib
        self._users: set[_Closable] = set()
        self._context: Any = ffi.NULL
        config = ffi.new("roc_context_config *", (LARGEST_PACKET_BYTES, 0))
        result = ffi.new("roc_context **")
        if self._lib.roc_context_open(config, result) != 0:
            raise Unavailable("libroc does not open a context")
        self._context = result[0]
        self._register()

    def _register(self) -> None:
        for rate_hz in RATES_HZ:
            for channels in CHANNELS:
                number = payload_type(rate_hz, channels)
                if number in _BUILT_IN:
                    continue
                encoding = ffi.new("roc_media_encoding *", self.encoding(rate_hz, channels))
                if self._lib.roc_context_register_encoding(self._context, number, encoding) != 0:
                    self.close()
                    raise Unavailable(f"libroc does not register encoding {number}")

    @staticmethod
    def encoding(rate_hz: int, channels: int) -> tuple[int, int, int, int]:
        """The fields of roc_media_encoding."""
        layout = _LAYOUTS.get(channels, header.LAYOUT_TRACKS)
        tracks = channels if layout == header.LAYOUT_TRACKS else 0
        return rate_hz, header.FORMAT_FLOAT32, layout, tracks

    @property
    def handle(self) -> Any:
        """libroc's pointer; raises Unavailable once closed."""
        if self._context == ffi.NULL:
            raise Unavailable("this libroc context is closed")
        return self._context

    def remember(self, user: _Closable) -> None:
        """An encoder or decoder is open, and is closed with the context at the latest."""
        self._users.add(user)

    def forget(self, user: _Closable) -> None:
        """It is closed."""
        self._users.discard(user)

    def close(self) -> None:
        """Close its encoders and decoders, and free it; more than once does nothing."""
        for user in list(self._users):
            user.close()
        context, self._context = self._context, ffi.NULL
        if context != ffi.NULL and self._lib.roc_context_close(context) != 0:
            raise Unavailable("libroc does not close its context")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
