"""Which device audio goes through: what the client tells its engine of it. Pure."""

import msgspec

DEFAULT, NONE = "default", "none"


class JackChoice(msgspec.Struct, tag="jack", frozen=True):
    """A client of the JACK server that runs, also of PipeWire's."""


class PortAudioChoice(msgspec.Struct, tag="portaudio", frozen=True):
    """Devices of the system's, by PortAudio."""

    input: str = DEFAULT
    """A name, a part of one, an index; `default` or `none`."""
    output: str = DEFAULT
    rate: int = 0
    """0 is the devices' own."""
    period: int = 0
    """0 leaves it to us."""


class AutoChoice(msgspec.Struct, tag="auto", frozen=True):
    """JACK if a server runs, else PortAudio."""

    otherwise: PortAudioChoice = PortAudioChoice()


class RocChoice(msgspec.Struct, tag="roc", frozen=True):
    """Plain ROC of other programs on this network, in the place of a device."""

    rate_hz: int
    fec: tuple[int, int] | None
    """Source and repair packets of a block that is sent; None for plain RTP both ways."""
    packet_frames: int
    latency_us: int
    listen_host: str
    listen_ports: tuple[int, int, int]
    only_from: str | None = None
    send_to: tuple[str, tuple[int, int, int]] | None = None


class TakeChoice(msgspec.Struct, tag="take", frozen=True):
    """A recording that is played into the room, in the place of a device."""

    folder: str
    files: list[str]
    """Of its tracks."""
    rate: int


class ModuleChoice(msgspec.Struct, tag="module", frozen=True):
    """A program that hears the room and plays into it, in the place of a device."""

    rate: int = 48_000
    hears: bool = True
    """Whether it wants the mix, and not only to know how time goes on."""


DeviceChoice = JackChoice | PortAudioChoice | AutoChoice | RocChoice | TakeChoice | ModuleChoice
