"""Which device audio goes through: what the client tells its engine of it. Pure."""

import msgspec


class JackChoice(msgspec.Struct, tag="jack", frozen=True):
    """A client of the JACK server that runs, also of PipeWire's."""


DeviceChoice = JackChoice
