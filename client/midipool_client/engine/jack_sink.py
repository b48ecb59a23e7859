"""Ports of a JACK client, on JACK or PipeWire."""

import os
import threading

from midipool_client.engine.sinks import Hear
from midipool_native import jack
from midipool_native.spooler import Spooler

RECEIVE, SEND = "midi_receive", "midi_send"
PATIENCE_NS = 50_000_000


class JackMidiSink:
    """Ports of a JACK client; the C callback plays the spooler."""

    backend = "jack"

    def __init__(self, spooler: Spooler, device_name: str, hear: Hear) -> None:
        self._sink = jack.JackSink(spooler, device_name, RECEIVE, SEND)
        self._hear = hear
        info = self._sink.info()
        self.latency_us = info.period_frames * 1_000_000 // info.sample_rate
        server = os.environ.get("JACK_DEFAULT_SERVER", "default")
        self.text = (
            f"JACK (server {server}): client {device_name} with ports {RECEIVE} and {SEND}, "
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

    def connections(self) -> list[tuple[bool, str]]:
        """(whether of the output, other port)."""
        return self._sink.connections()

    def connect(self, connections: list[tuple[bool, str]]) -> None:
        """Make connections again, as far as the other ports are there."""
        for output, port in connections:
            self._sink.connect(output, port)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            events = self._sink.heard(PATIENCE_NS)
            if events:
                self._hear(events)

    def close(self) -> None:
        """Take the ports away."""
        self._stopping.set()
        self._thread.join()
        self._sink.close()
