"""libjack, as far as the doctor asks it: who it is, and which ports there are."""

import ctypes
import os
import sys
from types import TracebackType
from typing import Any, Self

from midipool.errors import Unavailable

LIBRARIES = {
    "darwin": [
        "libjack.0.dylib",
        "/usr/local/lib/libjack.0.dylib",
        "/opt/homebrew/lib/libjack.0.dylib",
    ]
}
MIDI_TYPE, AUDIO_TYPE = b"8 bit raw midi", b"32 bit float mono audio"
NO_START_SERVER, SERVER_FAILED = 0x01, 0x10
MOST_PORTS = 1024


class Library:
    """The JACK library of this machine; raises Unavailable when there is none."""

    def __init__(self) -> None:
        self._jack = _load()
        self._jack.jack_client_open.restype = ctypes.c_void_p
        self._jack.jack_client_close.argtypes = [ctypes.c_void_p]
        self._jack.jack_get_ports.restype = ctypes.POINTER(ctypes.c_char_p)
        self._jack.jack_get_ports.argtypes = [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_char_p,
            ctypes.c_ulong,
        ]
        self._jack.jack_free.argtypes = [ctypes.c_void_p]
        for name in ("jack_get_sample_rate", "jack_get_buffer_size"):
            function = getattr(self._jack, name)
            function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_uint32
        self._jack.jack_is_realtime.argtypes = [ctypes.c_void_p]

    @property
    def path(self) -> str:
        """Where it was loaded from, links followed; its name where the system does not say."""
        name = str(self._jack._name)
        try:
            with open("/proc/self/maps", errors="replace") as maps:
                paths = [line.split(maxsplit=5)[5].strip() for line in maps if "libjack." in line]
        except OSError:
            paths = []
        return paths[0] if paths else name

    @property
    def version(self) -> str:
        """What it says of itself; empty if nothing, as old ones do."""
        function = getattr(self._jack, "jack_get_version_string", None)
        if function is None:
            return ""
        function.restype = ctypes.c_char_p
        return (function() or b"").decode(errors="replace")

    def open(self, name: str) -> "Client":
        """A client of about this name; raises Unavailable."""
        status = ctypes.c_int(0)
        client = self._jack.jack_client_open(
            name.encode(), ctypes.c_int(NO_START_SERVER), ctypes.byref(status)
        )
        if not client:
            gone = bool(status.value & SERVER_FAILED)
            raise Unavailable("" if gone else f"it refuses a client, status {status.value:#x}")
        return Client(self._jack, client)


class Client:
    """A client that is not active; a context manager."""

    def __init__(self, jack: Any, client: int) -> None:
        self._jack = jack
        self._client = client
        self.sample_rate = int(jack.jack_get_sample_rate(client))
        self.period_frames = int(jack.jack_get_buffer_size(client))
        self.realtime = bool(jack.jack_is_realtime(client))

    def ports(self, port_type: bytes | None = None) -> list[str]:
        """Names of the ports that are there, of one type or of any, CLIENT:PORT."""
        found = self._jack.jack_get_ports(self._client, None, port_type, 0)
        if not found:
            return []
        names: list[str] = []
        while len(names) < MOST_PORTS and (name := found[len(names)]) is not None:
            names.append(name.decode(errors="replace"))
        self._jack.jack_free(found)
        return names

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._jack.jack_client_close(self._client)


def server_name() -> str:
    """The server that clients of this environment look for."""
    return os.environ.get("JACK_DEFAULT_SERVER") or "default"


def _load() -> Any:
    for name in LIBRARIES.get(sys.platform, ["libjack.so.0"]):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise Unavailable("there is no JACK library")
