"""PortAudio, by sounddevice: the system's sound devices, and the audio engine as a stream of them.

sounddevice finds PortAudio's library, or brings it along, and opens the stream; its callback is C.
"""

import atexit
import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cffi import FFI

from midipool.errors import Unavailable
from midipool_native._rt import ffi, lib
from midipool_native.audio import AudioCore, DeviceInfo
from midipool_native.checks import check
from midipool_native.portless import Portless

_alsa = FFI()
_alsa.cdef("void PaAlsa_EnableRealtimeScheduling(void *stream, int enable);")

Direction = Literal["input", "output"]
# Without JACK's exact times the codec thread wants to be earlier.
DECODE_LEAD_US = 1500
STALLED_S = 2.0
# PortAudio gives ALSA's thread a FIFO priority of 1 if asked to, and its other ones what their
# systems have; the codec thread runs behind with 1.
PRIORITY = 2
# PaErrorCode
BAD_RATE, BAD_CHANNELS, BAD_COMBINATION = -9997, -9998, -9993
UNAVAILABLE = -9985


class PortAudioError(Unavailable):
    """PortAudio refused; `code` is its PaErrorCode, 0 for other reasons."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class SoundDevice:
    """A device as PortAudio lists it."""

    index: int
    name: str
    host_api: str
    inputs: int
    """Channels; 0 is none."""
    outputs: int
    rate: int
    """Its usual one."""
    default_input: bool
    """Of its host API."""
    default_output: bool
    default_host_api: bool
    """Its host API is the one that PortAudio prefers."""


@dataclass(frozen=True, slots=True)
class StreamSetup:
    """What to open; None is no device in that direction."""

    input: SoundDevice | None
    output: SoundDevice | None
    channels: int
    """That are sent and mixed; an input of one channel goes into all of them."""
    rate: int
    period: int
    latency_s: float | None = None
    """As short as the device's own lowest if None."""

    def input_channels(self) -> int:
        """Of the device."""
        return 0 if self.input is None else min(self.input.inputs, self.channels)

    def output_channels(self) -> int:
        """Of the device."""
        return 0 if self.output is None else self.channels


def list_devices() -> list[SoundDevice]:
    """What is there now; raises PortAudioError."""
    with _portaudio() as sd:
        sd._terminate()  # Only a new start sees what was plugged in.
        sd._initialize()
        apis, preferred = sd.query_hostapis(), sd._lib.Pa_GetDefaultHostApi()
        return [
            SoundDevice(
                index=info["index"],
                name=info["name"],
                host_api=apis[info["hostapi"]]["name"],
                inputs=info["max_input_channels"],
                outputs=info["max_output_channels"],
                rate=round(info["default_samplerate"]),
                default_input=info["index"] == apis[info["hostapi"]]["default_input_device"],
                default_output=info["index"] == apis[info["hostapi"]]["default_output_device"],
                default_host_api=info["hostapi"] == preferred,
            )
            for info in sd.query_devices()
        ]


def version() -> str:
    """What PortAudio says of itself; raises PortAudioError."""
    with _portaudio() as sd:
        return str(sd.get_portaudio_version()[1])


def check_settings(device: SoundDevice, direction: Direction, channels: int, rate: int) -> None:
    """Raises PortAudioError if the device cannot have that."""
    with _portaudio() as sd:
        check_one = getattr(sd, f"check_{direction}_settings")
        check_one(device=device.index, channels=channels, dtype="float32", samplerate=rate)


class PortAudioDevice(Portless):
    """A stream of the devices, with `core` in its callback; `text` says what was opened."""

    def __init__(self, setup: StreamSetup, text: str) -> None:
        """Open and start it; raises PortAudioError, NativeError."""
        self._setup = setup
        self.text = text
        settings = ffi.new("mp_portaudio_settings *")
        settings.rate, settings.period = setup.rate, setup.period
        settings.channels = setup.channels
        settings.device_in_channels = setup.input_channels()
        settings.device_out_channels = setup.output_channels()
        settings.decode_lead_us = DECODE_LEAD_US
        status = ffi.new("mp_status *")
        made = lib.mp_portaudio_new(settings, status)
        check(status[0], f"audio at {setup.rate} Hz, {setup.period} frames")
        self._driver: Any = ffi.gc(made, lib.mp_portaudio_free)
        self.core = AudioCore(lib.mp_portaudio_engine(self._driver), setup.channels, setup.channels)
        self._cycles, self._cycles_s = 0, time.monotonic()
        self._stream: Any = _open_stream(setup, self._driver)

    def info(self) -> DeviceInfo:
        """How the stream stands."""
        info = self._look()
        return DeviceInfo(
            rate=self._setup.rate,
            period=self._setup.period,
            xruns=info.xruns,
            alive=not self.trouble(),
            priority=PRIORITY,
        )

    def trouble(self) -> str:
        """Why it is of no use any more, and has to be opened anew; empty while all is well."""
        info, now_s = self._look(), time.monotonic()
        if info.cycles != self._cycles:
            self._cycles, self._cycles_s = info.cycles, now_s
        if info.finished or now_s - self._cycles_s > STALLED_S:
            return "the sound device has stopped: if it was unplugged, plug it in again"
        return ""

    def cycles(self) -> int:
        """Callbacks so far."""
        return int(self._look().cycles)

    def close(self) -> None:
        """Stop all; `core` must not be used any more."""
        self.core.stop()
        if self._stream is None:
            return
        stream, self._stream = self._stream, None
        if self.trouble():
            # Closing what has gone can wait for ever: leave it, and the driver that its callback
            # may still touch, to the end of this process.
            _left_behind.append((stream, self._driver))
            _leave_portaudio()
            return
        with _portaudio():
            stream.abort()
            stream.close()

    def _look(self) -> Any:
        info = ffi.new("mp_portaudio_info *")
        lib.mp_portaudio_get_info(self._driver, info)
        return info


_left_behind: list[Any] = []


def _open_stream(setup: StreamSetup, driver: Any) -> Any:
    """A started stream; raises PortAudioError."""
    latency = "low" if setup.latency_s is None else setup.latency_s
    device, channels = _sides(setup)
    kind = "duplex"
    if setup.input is None or setup.output is None:
        kind = "output" if setup.input is None else "input"
    with _portaudio() as sd:
        stream = sd._StreamBase(
            kind=kind,
            samplerate=setup.rate,
            blocksize=setup.period,
            device=device,
            channels=channels,
            dtype="float32",
            latency=latency,
            callback=ffi.addressof(lib, "mp_portaudio_callback"),
            finished_callback=ffi.addressof(lib, "mp_portaudio_finished"),
            userdata=driver,
        )
        _ask_for_realtime(sd, stream, setup)
        try:
            stream.start()
        except BaseException:
            stream.close()
            raise
    return stream


def _sides(setup: StreamSetup) -> tuple[Any, Any]:
    """(devices, channels) as sounddevice takes them: pairs if it is both."""
    input, output = setup.input, setup.output
    if input is None:
        assert output is not None
        return output.index, setup.output_channels()
    if output is None:
        return input.index, setup.input_channels()
    return (input.index, output.index), (setup.input_channels(), setup.output_channels())


def _ask_for_realtime(sd: Any, stream: Any, setup: StreamSetup) -> None:
    """ALSA's thread gets a real-time priority only if asked to, and if the system permits it."""
    device = setup.output or setup.input
    if device is None or device.host_api != "ALSA":
        return
    with contextlib.suppress(AttributeError, OSError):
        _alsa.dlopen(sd._libname).PaAlsa_EnableRealtimeScheduling(
            _alsa.cast("void *", int(sd._ffi.cast("uintptr_t", stream._ptr))), 1
        )


@contextlib.contextmanager
def _portaudio() -> Iterator[Any]:
    """sounddevice's module, with its errors as PortAudioError.

    PortAudio, ALSA and JACK print a lot about every device that they try: nobody reads it here.
    """
    with _silence():
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise PortAudioError(f"there is no PortAudio ({error}): {_how_to_get_it()}") from None
        try:
            yield sounddevice
        except sounddevice.PortAudioError as error:
            raise _in_our_words(error) from None


def _how_to_get_it() -> str:
    if sys.platform.startswith("linux"):
        return "install libportaudio2, and pip install sounddevice"
    return "pip install sounddevice, which brings it along"


def _in_our_words(error: Any) -> PortAudioError:
    text, code, host = (*error.args, "", 0, None)[:3]
    # (message, code, (host API, its code, its message))
    told = [str(text).removeprefix("Error opening _StreamBase: ")]
    if isinstance(host, tuple) and host[-1]:
        told.append(str(host[-1]))
    return PortAudioError(": ".join(told), code if isinstance(code, int) else 0)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    kept = [os.dup(number) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in (1, 2):
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)


def _leave_portaudio() -> None:
    """Do not let sounddevice close streams when this process ends."""
    with _portaudio() as sd:
        atexit.unregister(sd._exit_handler)
