"""The audio engine as a JACK client."""

from typing import Any

from midipool_native._rt import ffi, lib
from midipool_native.audio import AudioCore, DeviceInfo
from midipool_native.checks import NativeError, check

CONNECTIONS_BYTES = 1 << 16


class JackAudio:
    """A JACK client with `audio_send_N` and `audio_receive_N`, and `core` behind them."""

    def __init__(
        self, client_name: str, in_channels: int, out_channels: int, decode_lead_us: int = 350
    ) -> None:
        """Open and activate it; raises NativeError."""
        status = ffi.new("mp_status *")
        self._jack: Any = lib.mp_jack_audio_open(
            client_name.encode(), in_channels, out_channels, decode_lead_us, status
        )
        if self._jack == ffi.NULL:
            raise NativeError(status[0], f"JACK client {client_name}")
        self.core = AudioCore(lib.mp_jack_audio_engine(self._jack), in_channels, out_channels)
        info = self.info()
        self._rate = info.rate
        self.text = f"JACK: client {client_name}, {info.rate} Hz, {info.period} frames"

    def info(self) -> DeviceInfo:
        """How the client stands."""
        info = ffi.new("mp_jack_audio_info *")
        lib.mp_jack_audio_get_info(self._jack, info)
        return DeviceInfo(
            rate=info.rate,
            period=info.period,
            xruns=info.xruns,
            alive=bool(info.alive),
            priority=info.priority,
        )

    def trouble(self) -> str:
        """Why it is of no use any more, and has to be opened anew; empty while all is well."""
        info = self.info()
        if not info.alive:
            return "the audio ports are gone; waiting for JACK to come back"
        if info.rate != self._rate:
            return f"JACK's sample rate is {info.rate} Hz now: the audio ports are opened anew"
        return ""

    def note(self) -> str:
        """Nothing: people see the ports."""
        return ""

    def add_ports(self, slot: int, name: str) -> None:
        """Give a slot outputs `from_<name>_N`; they stay until removed. Raises NativeError."""
        status = lib.mp_jack_audio_add_ports(self._jack, slot, name.encode())
        check(status, f"ports from_{name}")

    def connections(self) -> list[tuple[str, str]]:
        """(our port without the client's name, other port)."""
        text = ffi.new("char[]", CONNECTIONS_BYTES)
        lib.mp_jack_audio_connections(self._jack, text, CONNECTIONS_BYTES)
        lines = ffi.string(text).decode(errors="replace").splitlines()
        return [(own, other) for own, _, other in (line.partition("\t") for line in lines)]

    def connect(self, own: str, other: str) -> bool:
        """Connect a port of ours, named as in `connections`; False if that cannot be (yet)."""
        status = lib.mp_jack_audio_connect(self._jack, own.encode(), other.encode())
        return bool(status == lib.MP_OK)

    def remove_ports(self, slot: int) -> None:
        """Take a slot's own outputs away; raises NativeError."""
        check(lib.mp_jack_audio_remove_ports(self._jack, slot), f"ports of slot {slot}")

    def close(self) -> None:
        """Stop all and take the ports away; `core` must not be used any more."""
        if self._jack != ffi.NULL:
            lib.mp_jack_audio_close(self._jack)
            self._jack = ffi.NULL
