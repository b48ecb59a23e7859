"""Where audio comes from and goes to: the device that an engine works with."""

from typing import Protocol

from midipool_client.audio.device_choice import DeviceChoice, JackChoice
from midipool_client.audio.engine_messages import AudioConfig
from midipool_native.audio import AudioCore, DeviceInfo
from midipool_native.jack_audio import JackAudio


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


def open_device(config: AudioConfig) -> AudioDevice:
    """The device that was chosen; raises MidiPoolError, which says what to do."""
    return _open(config.device, config)


def _open(choice: DeviceChoice, config: AudioConfig) -> AudioDevice:
    match choice:
        case JackChoice():
            return JackAudio(f"{config.device_name}-audio", config.channels, config.channels)
