"""A JACK client that writes down what a program sends."""

import time
from collections import deque
from types import TracebackType
from typing import Any, Self

import jack

from midipool.errors import Unavailable
from tests.recordings.load import Event, Recording

PORT_APPEARS_S = 40.0
LOOK_AGAIN_S = 0.05
MOST_EVENTS = 8_000


class Ear:
    """Records MIDI outputs of other clients, each into a recording, on JACK's frame clock."""

    def __init__(self, *names: str) -> None:
        """A client with an input of each name; raises Unavailable without a JACK server."""
        try:
            self.client: Any = jack.Client("ear", no_start_server=True)
        except jack.JackError as error:
            raise Unavailable(f"no JACK server to record from: {error}") from error
        self._heard: dict[str, deque[tuple[int, bytes]]] = {
            name: deque(maxlen=MOST_EVENTS + 1) for name in names
        }
        self._inputs = {name: self.client.midi_inports.register(name) for name in names}
        self._begin = 0
        self._xruns = 0
        self.client.set_process_callback(self._process)
        self.client.set_xrun_callback(self._xrun)

    def _process(self, frames: int) -> None:
        cycle = self.client.last_frame_time
        for name, port in self._inputs.items():
            for offset, data in port.incoming_midi_events():
                self._heard[name].append((cycle + offset, bytes(data)))

    def _xrun(self, delay_us: float) -> None:
        self._xruns += 1

    def connect(self, name: str, pattern: str) -> None:
        """Connect input `name` with the MIDI output that matches, once it is there."""
        give_up = time.monotonic() + PORT_APPEARS_S
        while not (ports := self._outputs(pattern)):
            if time.monotonic() > give_up:
                raise Unavailable(f"no MIDI output matches {pattern!r}: {self._outputs('')}")
            time.sleep(LOOK_AGAIN_S)
        self.client.connect(ports[0], self._inputs[name])

    def wait_connected(self, name: str) -> None:
        """Wait until a program has connected itself with input `name`."""
        give_up = time.monotonic() + PORT_APPEARS_S
        while not self._inputs[name].connections:
            if time.monotonic() > give_up:
                raise Unavailable(f"nothing connects with {name!r}: {self._outputs('')}")
            time.sleep(LOOK_AGAIN_S)

    def begin(self) -> None:
        """Forget what was heard: the recordings begin now."""
        for heard in self._heard.values():
            heard.clear()
        self._xruns = 0
        self._begin = self.client.frame_time

    def _outputs(self, pattern: str) -> list[str]:
        ports = self.client.get_ports(pattern, is_midi=True, is_output=True)
        return [port.name for port in ports]

    def heard(self, name: str) -> list[bytes]:
        """The messages that came at input `name` so far."""
        return [data for _, data in tuple(self._heard[name])]

    def recordings(self) -> dict[str, Recording]:
        """All since `begin`; raises Unavailable if JACK was late and the times are not true."""
        most = max(map(len, self._heard.values()))
        if self._xruns or most > MOST_EVENTS:
            raise Unavailable(f"{self._xruns} xruns, {most} events: record it once more")
        rate = int(self.client.samplerate)
        return {name: Recording(rate, self._events(name)) for name in self._heard}

    def _events(self, name: str) -> tuple[Event, ...]:
        # JACK's frame count has 32 bits.
        return tuple(
            Event(frame - self._begin & 0xFFFFFFFF, data) for frame, data in self._heard[name]
        )

    def __enter__(self) -> Self:
        self.client.activate()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.client.deactivate()
        self.client.close()
