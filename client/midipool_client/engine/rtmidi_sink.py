"""Ports of rtmidi (ALSA, CoreMIDI, WinMM): virtual ones, or existing ones by name."""

import contextlib
import os
import sys
import threading
import time
from typing import Any

from midipool.errors import Unavailable
from midipool_client.engine.sinks import Hear, SinkChoice
from midipool_native import host_clock, jack
from midipool_native.checks import NativeError
from midipool_native.spooler import Spooler

PATIENCE_NS = 100_000_000
MIDI_PRIORITY = 80
LOOK_AGAIN_S = 1.0
# A JACK client shows its ports a moment before they can be connected; rtmidi does not say that it
# could not.
JACK_ACTIVATES_S = 0.1


class RtMidiSink:
    """An rtmidi port; a real-time thread waits in C and hands the bytes over."""

    backend = "rtmidi"
    latency_us = 0

    def __init__(self, spooler: Spooler, choice: SinkChoice, hear: Hear) -> None:
        self._spooler = spooler
        self._hear = hear
        self._out, self._existing, self.text = _open_output(choice)
        self._in = _open_input(choice, self._existing)
        if self._in is not None:
            self._in.ignore_types(sysex=False, timing=False, active_sense=True)
            self._in.set_callback(self._heard)
        self._looked_s = time.monotonic()
        self._there = True
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._play, name="midi-out", daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        """Whether the port is still played; a device that is pulled out leaves the list."""
        if self._existing is not None and time.monotonic() - self._looked_s > LOOK_AGAIN_S:
            self._looked_s = time.monotonic()
            self._there = self._existing in self._out.get_ports()
        return self._there and self._thread.is_alive()

    def _play(self) -> None:
        play(self._spooler, self._out.send_message, self._stopping)

    def _heard(self, event: tuple[list[int], float], _: object) -> None:
        # The time that rtmidi gives is only the distance from the event before.
        self._hear([(host_clock.now_ns(), bytes(event[0]))])

    def close(self) -> None:
        """Stop playing and take the ports away."""
        self._stopping.set()
        self._thread.join()
        self._out.close_port()
        if self._in is not None:
            self._in.cancel_callback()
            self._in.close_port()


def play(spooler: Spooler, send: Any, stopping: threading.Event) -> None:
    """Hand each event to `send` when it is due, in real time where that is allowed."""
    host_clock.realtime_thread(MIDI_PRIORITY)
    while not stopping.is_set():
        data = spooler.wait_next(PATIENCE_NS)
        if data is not None:
            send(data)


def _open_output(choice: SinkChoice) -> tuple[Any, str | None, str]:
    """The output, the existing port's name if it is one, and what to tell of it."""
    import rtmidi

    api, hint = rtmidi_api()
    name = f"{choice.device_name} receive"
    try:
        out = rtmidi.MidiOut(api, name=choice.device_name)
        if choice.midi_port is not None:
            existing = open_existing(out, choice.midi_port)
            return out, existing, f"rtmidi: MIDI port {existing!r}"
        if sys.platform == "win32":
            text = "Windows has no virtual MIDI ports: make one (loopMIDI) and name it: --midi-port"
            raise Unavailable(text)
        out.open_virtual_port(name)
    except (rtmidi.RtMidiError, SystemError, NotImplementedError) as error:
        raise Unavailable(f"rtmidi cannot open a port ({error})") from None
    send = f"{choice.device_name} send"
    return out, None, f"rtmidi ({hint}): virtual ports {name!r} and {send!r}"


def _open_input(choice: SinkChoice, existing: str | None) -> Any:
    """A virtual input, or that of the device whose output is open, if it has one."""
    import rtmidi

    api, _ = rtmidi_api()
    port = rtmidi.MidiIn(api, name=choice.device_name)
    if existing is None:
        port.open_virtual_port(f"{choice.device_name} send")
        return port
    try:
        open_existing(port, choice.midi_port or existing)
    except Unavailable:
        port.delete()
        return None
    return port


def open_existing(port: Any, wanted: str) -> str:
    """Open the first port that has `wanted` in its name; its whole name. Raises Unavailable."""
    ports: list[str] = port.get_ports()
    matches = [i for i, name in enumerate(ports) if wanted.lower() in name.lower()]
    if not matches:
        there = ", ".join(map(repr, ports)) or "none"
        raise Unavailable(f"there is no MIDI port named {wanted!r}; there are: {there}")
    if _is_through_jack(port):
        time.sleep(JACK_ACTIVATES_S)
    port.open_port(matches[0])
    return ports[matches[0]]


def _is_through_jack(port: Any) -> bool:
    import rtmidi

    return bool(port.get_current_api() == rtmidi.API_UNIX_JACK)


def rtmidi_api() -> tuple[int, str]:
    """The interface for this machine, and its name; raises Unavailable."""
    import rtmidi

    there = set(rtmidi.get_compiled_api())
    if rtmidi.API_LINUX_ALSA in there and os.path.exists("/dev/snd/seq"):
        return rtmidi.API_LINUX_ALSA, "ALSA"
    if rtmidi.API_MACOSX_CORE in there:
        return rtmidi.API_MACOSX_CORE, "CoreMIDI"
    if rtmidi.API_WINDOWS_MM in there:
        return rtmidi.API_WINDOWS_MM, "Windows"
    if rtmidi.API_UNIX_JACK in there and _jack_server_runs():
        return rtmidi.API_UNIX_JACK, "through JACK, exact only to its periods: use --midi jack"
    raise Unavailable("there is no ALSA sequencer (/dev/snd/seq)")


def _jack_server_runs() -> bool:
    with contextlib.suppress(NativeError):
        jack.JackMeter("midipool-look", ports=1).close()
        return True
    return False
