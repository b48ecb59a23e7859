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


DeviceChoice = JackChoice | PortAudioChoice | AutoChoice
