"""Ports of a JACK client, on JACK or PipeWire."""

import os
import threading

from midipool_client.engine.sinks import Hear
from midipool_native import jack
from midipool_native.spooler import Spooler

RECEIVE, SEND, CONTROL = "midi_receive", "midi_send", "midi_control"
PATIENCE_NS = 50_000_000


class JackMidiSink:
    """Ports of a JACK client; the C callback plays the spooler."""

    backend = "jack"

    def __init__(
        self, spooler: Spooler, device_name: str, hear: Hear, hear_control: Hear | None = None
    ) -> None:
        control = CONTROL if hear_control is not None else None
        self._sink = jack.JackSink(spooler, device_name, RECEIVE, SEND, control)
        self._hear, self._hear_control = hear, hear_control
        info = self._sink.info()
        self.latency_us = info.period_frames * 1_000_000 // info.sample_rate
        server = os.environ.get("JACK_DEFAULT_SERVER", "default")
        names = f"{RECEIVE}, {SEND} and {CONTROL}" if control else f"{RECEIVE} and {SEND}"
        self.text = (
            f"JACK (server {server}): client {device_name} with ports {names}, "
            f"{info.sample_rate} Hz, {info.period_frames} frames"
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="midi-in", daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        """Whether the JACK server is still there."""
        return self._sink.info().alive

    def info(self) -> jack.JackInfo:
        """JACK's state."""
        return self._sink.info()

    def connections(self) -> list[tuple[int, str]]:
        """(which of our ports, other port)."""
        return self._sink.connections()

    def connect(self, connections: list[tuple[int, str]]) -> None:
        """Make connections again, as far as the other ports are there."""
        for which, port in connections:
            self._sink.connect(which, port)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            played, control = self._sink.heard(PATIENCE_NS)
            if played:
                self._hear(played)
            if control and self._hear_control is not None:
                self._hear_control(control)

    def close(self) -> None:
        """Take the ports away."""
        self._stopping.set()
        self._thread.join()
        self._sink.close()
