"""The connections that players made of our audio ports, made again after a crash."""

from midipool_client.audio.device import AudioDevice

TRIES = 100
# Asking JACK for all connections takes its time.
LOOK_EVERY = 10


class Connections:
    """Makes what is `wanted` as soon as the ports are there; `tend` is called now and then."""

    def __init__(self, device: AudioDevice, wanted: list[tuple[str, str]]) -> None:
        self._device = device
        self._missing = wanted
        self.known = wanted
        """What is connected, as of one of the last calls, or is still to be."""
        self._calls = 0

    def tend(self) -> None:
        """Try again, and look again now and then."""
        if self._missing or self._calls % LOOK_EVERY == 0:
            self.known = self._look()
        self._calls += 1

    def _look(self) -> list[tuple[str, str]]:
        there = self._device.connections()
        self._missing = [pair for pair in self._missing if pair not in there]
        if self._calls >= TRIES:
            self._missing = []
        for own, other in self._missing:
            self._device.connect(own, other)
        return there + self._missing
