"""Where audio comes from and goes to: the device that an engine works with."""

from dataclasses import dataclass
from typing import Protocol

from midipool.errors import MidiPoolError, Unavailable
from midipool_client.audio.device_choice import (
    AutoChoice,
    DeviceChoice,
    JackChoice,
    ModuleChoice,
    PortAudioChoice,
    RocChoice,
    TakeChoice,
)
from midipool_client.audio.engine_messages import AudioConfig
from midipool_client.audio.portaudio import open_portaudio
from midipool_client.module.device import ModuleDevice
from midipool_client.playback.device import TakePlayback
from midipool_native import checks
from midipool_native.audio import AudioCore, DeviceInfo
from midipool_native.checks import NativeError
from midipool_native.jack_audio import JackAudio
from midipool_native.media_address import Address
from midipool_native.roc import Fec
from midipool_native.roc_bridge import PlainRoc, RocBridge

JACK_ADVICE = {
    checks.NO_LIBJACK: "install jackd2 or pipewire-jack, or use --audio portaudio",
    checks.NO_JACK_SERVER: "start JACK or PipeWire, or use --audio portaudio",
    checks.NAME_TAKEN: "choose another --device-name",
}


class AudioDevice(Protocol):
    """An open device, whose callback runs `core`. One thread may call this."""

    @property
    def core(self) -> AudioCore:
        """Not to be used any more once the device is closed."""

    @property
    def text(self) -> str:
        """What was opened, for people."""

    def info(self) -> DeviceInfo:
        """How it stands."""

    def trouble(self) -> str:
        """Why it is of no use any more, and has to be opened anew; empty while all is well."""

    def note(self) -> str:
        """What people may want to know of it now; empty for nothing."""

    def add_ports(self, slot: int, name: str) -> None:
        """Let a player be heard by itself too, where the device can; raises NativeError."""

    def remove_ports(self, slot: int) -> None:
        """Not any more; raises NativeError."""

    def connections(self) -> list[tuple[str, str]]:
        """(our port, other port), of a device whose ports people connect; else empty."""

    def connect(self, own: str, other: str) -> bool:
        """Make a connection as in `connections`; False if that cannot be (yet)."""

    def close(self) -> None:
        """Stop all."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A device that was opened, and why this one."""

    device: AudioDevice
    why: str
    choice: DeviceChoice
    """By which the same one is opened again."""


def open_device(config: AudioConfig) -> Opened:
    """The device that was chosen; raises MidiPoolError, which says what to do."""
    match config.device:
        case JackChoice():
            return Opened(_open_jack_or_advise(config), _asked(config), config.device)
        case PortAudioChoice() as choice:
            device, again = open_portaudio(choice, config.channels)
            return Opened(device, _asked(config), again)
        case AutoChoice(otherwise=choice):
            return _open_any(config, choice)
        case RocChoice() as choice:
            return Opened(RocBridge(_plain(choice)), _asked(config), choice)
        case TakeChoice() as choice:
            return Opened(TakePlayback(choice), _asked(config), choice)
        case ModuleChoice() as choice:
            return Opened(ModuleDevice(choice, config.channels), _asked(config), choice)


def _open_any(config: AudioConfig, otherwise: PortAudioChoice) -> Opened:
    try:
        return Opened(_open_jack(config), "a JACK server is running", JackChoice())
    except NativeError as error:
        if error.status not in (checks.NO_LIBJACK, checks.NO_JACK_SERVER):
            raise
        why = checks.status_text(error.status)
    try:
        device, again = open_portaudio(otherwise, config.channels)
    except MidiPoolError as error:
        raise Unavailable(f"{why}; by PortAudio: {error}") from None
    return Opened(device, why, again)


def _open_jack(config: AudioConfig) -> JackAudio:
    return JackAudio(f"{config.device_name}-audio", config.channels, config.channels)


def _open_jack_or_advise(config: AudioConfig) -> JackAudio:
    try:
        return _open_jack(config)
    except NativeError as error:
        advice = JACK_ADVICE.get(error.status)
        if advice is None:
            raise
        raise Unavailable(f"{error}: {advice}") from None


def _asked(config: AudioConfig) -> str:
    return "as before" if config.again else "asked for"


def _plain(choice: RocChoice) -> PlainRoc:
    send_to = None
    if choice.send_to is not None:
        host, (source, repair, control) = choice.send_to
        send_to = (Address(host, source), Address(host, repair), Address(host, control))
    return PlainRoc(
        rate_hz=choice.rate_hz,
        fec=None if choice.fec is None else Fec(*choice.fec),
        packet_frames=choice.packet_frames,
        latency_us=choice.latency_us,
        listen_host=choice.listen_host,
        listen_ports=choice.listen_ports,
        only_from=choice.only_from,
        send_to=send_to,
    )
