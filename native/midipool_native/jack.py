"""JACK clients in C: the sink that plays the spooler, and the meter that listens."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from midipool_native._rt import ffi, lib
from midipool_native.checks import NativeError
from midipool_native.spooler import Spooler


@dataclass(frozen=True, slots=True)
class JackInfo:
    """State of a JACK sink."""

    sample_rate: int
    period_frames: int
    xruns: int
    clock_resets: int
    alive: bool
    realtime: bool
    lost: int
    drift_ppm: float


class SinkPort(IntEnum):
    """Which of a sink's ports."""

    IN = 0
    OUT = 1
    CONTROL = 2


class JackSink:
    """A JACK client with a MIDI output that plays a spooler, and one or two MIDI inputs."""

    def __init__(
        self,
        spooler: Spooler,
        client_name: str,
        out_name: str,
        in_name: str,
        control_name: str | None = None,
    ) -> None:
        """Open and activate it; raises NativeError."""
        control: Any = (
            ffi.NULL if control_name is None else ffi.new("char[]", control_name.encode())
        )
        status = ffi.new("mp_status *")
        self._spooler = spooler  # must outlive the C sink
        self._heard: Any = ffi.new("mp_heard[256]")
        self._sink: Any = lib.mp_jack_sink_open(
            spooler.handle,
            client_name.encode(),
            out_name.encode(),
            in_name.encode(),
            control,
            status,
        )
        if self._sink == ffi.NULL:
            raise _open_error(status[0], client_name)

    def info(self) -> JackInfo:
        """The sink's state now."""
        info = ffi.new("mp_jack_info *")
        lib.mp_jack_sink_info(self._sink, info)
        return JackInfo(
            sample_rate=info.sample_rate,
            period_frames=info.period_frames,
            xruns=info.xruns,
            clock_resets=info.clock_resets,
            alive=bool(info.alive),
            realtime=bool(info.realtime),
            lost=info.lost,
            drift_ppm=info.drift_ppm,
        )

    def heard(self, patience_ns: int) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
        """(host ns, bytes) of what arrived at the input, and the same of the control input.

        Waits for it, at most so long. A message of more than 256 bytes comes in pieces of the same
        time.
        """
        count = lib.mp_jack_sink_heard(self._sink, self._heard, 256, patience_ns)
        played: Iterable[Any] = (h for h in self._heard[0:count] if not h.control)
        control: Iterable[Any] = (h for h in self._heard[0:count] if h.control)
        return _timed(played), _timed(control)

    def connections(self) -> list[tuple[int, str]]:
        """(which of our ports, other port's name) of each connection."""
        return [(int(which), name) for which in SinkPort for name in self._connected(which)]

    def connect(self, which: int, port: str) -> bool:
        """Connect one of ours with another client's port; False if it cannot be."""
        return bool(lib.mp_jack_sink_connect(self._sink, which, port.encode()) == lib.MP_OK)

    def _connected(self, which: int) -> list[str]:
        names = ffi.new("char[8192]")
        lib.mp_jack_sink_connections(self._sink, which, names, 8192)
        return bytes(ffi.string(names)).decode(errors="replace").split("\n")[:-1]

    def close(self) -> None:
        """Take the ports away."""
        if self._sink != ffi.NULL:
            lib.mp_jack_sink_close(self._sink)
            self._sink = ffi.NULL


def _timed(heard: Iterable[Any]) -> list[tuple[int, bytes]]:
    return [(h.host_ns, bytes(h.bytes[0 : h.size])) for h in heard]


@dataclass(frozen=True, slots=True)
class HeardEvent:
    """A MIDI event at a meter's input, by JACK's frame count."""

    frame: int
    port: int
    data: bytes


class JackMeter:
    """A JACK client with `ports` MIDI inputs `in_1`… that writes down what arrives."""

    def __init__(self, client_name: str, ports: int = 1) -> None:
        """Open and activate it; raises NativeError."""
        status = ffi.new("mp_status *")
        self._meter: Any = lib.mp_meter_open(client_name.encode(), ports, status)
        if self._meter == ffi.NULL:
            raise _open_error(status[0], client_name)
        self._events: Any = ffi.new("mp_meter_event[4096]")
        self._cycles: Any = ffi.new("mp_meter_cycle[4096]")
        self.sample_rate = int(lib.mp_meter_sample_rate(self._meter))

    def connect(self, port: str, index: int = 0) -> bool:
        """Listen to another client's output at input `index`; False if it cannot be."""
        return bool(lib.mp_meter_connect(self._meter, port.encode(), index) == lib.MP_OK)

    def events(self) -> list[HeardEvent]:
        """What was heard since the last call."""
        count = lib.mp_meter_events(self._meter, self._events, 4096)
        return [
            HeardEvent(e.frame, e.port, bytes(e.bytes[0 : min(e.size, 3)]))
            for e in self._events[0:count]
        ]

    def cycles(self) -> list[tuple[int, int]]:
        """(frame, CLOCK_MONOTONIC ns) of the process cycles since the last call."""
        count = lib.mp_meter_cycles(self._meter, self._cycles, 4096)
        return [(c.frame, c.monotonic_ns) for c in self._cycles[0:count]]

    @property
    def xruns(self) -> int:
        """Times at which JACK was late."""
        return int(lib.mp_meter_xruns(self._meter))

    @property
    def lost(self) -> int:
        """Events that did not fit because nobody read them."""
        return int(lib.mp_meter_lost(self._meter))

    def close(self) -> None:
        """Take the ports away."""
        if self._meter != ffi.NULL:
            lib.mp_meter_close(self._meter)
            self._meter = ffi.NULL


def _open_error(status: int, client_name: str) -> NativeError:
    error = NativeError(status, f"JACK client {client_name!r}")
    if status == lib.MP_JACK_FAILED:
        said = bytes(ffi.string(lib.mp_jack_complaint())).decode(errors="replace").strip()
        error.args = (f"{error} ({said or 'it does not say why'}); its own log may say more",)
    return error


def library_found() -> bool:
    """Whether a JACK library can be loaded."""
    return bool(lib.mp_jack_available() == lib.MP_OK)
