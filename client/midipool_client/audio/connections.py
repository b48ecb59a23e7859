"""The connections that players made of our audio ports, made again after a crash."""

from midipool_client.audio.device import AudioDevice

TRIES = 100


class Connections:
    """Makes what is `wanted` as soon as the ports are there; `tend` is called now and then."""

    def __init__(self, device: AudioDevice, wanted: list[tuple[str, str]]) -> None:
        self._device = device
        self._missing = wanted
        self._tries = TRIES

    def tend(self) -> list[tuple[str, str]]:
        """Try again; what is connected, or is still to be."""
        there = self._device.connections()
        self._missing = [pair for pair in self._missing if pair not in there]
        if self._tries == 0:
            self._missing = []
        for own, other in self._missing:
            self._device.connect(own, other)
        self._tries = max(self._tries - 1, 0)
        return there + self._missing
