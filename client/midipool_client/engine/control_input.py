"""An rtmidi input for controllers alone: a virtual one beside the ports, or an existing one."""

import sys
import threading
from collections.abc import Callable
from typing import Any

from midipool.errors import Unavailable
from midipool_client.engine.rtmidi_sink import open_existing, rtmidi_api
from midipool_client.engine.sinks import Hear, SinkChoice
from midipool_native import host_clock

LOOK_AGAIN_S = 1.0
CLOSE_S = 1.0


class ControlInput:
    """Is opened when it can be, and again when its device was away; the ports go on without it.

    On a thread of its own, as a driver may take seconds to open a port.
    """

    def __init__(self, choice: SinkChoice, hear: Hear, complain: Callable[[str], None]) -> None:
        self._choice = choice
        self._hear = hear
        self._complain = complain
        self._in: Any = None
        self._existing: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="midi-control", daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        while True:
            self._look()
            if self._stopping.wait(LOOK_AGAIN_S):
                self._take_away()
                return

    def _look(self) -> None:
        if self._in is not None and self._existing is not None:
            if self._existing in self._in.get_ports():
                return
            self._take_away()
            self._complain(f"the control port {self._existing!r} is gone; waiting for it")
        if self._in is None:
            try:
                self._open()
            except Unavailable as error:
                self._complain(f"no controllers: {error}")

    def _open(self) -> None:
        import rtmidi

        api, _ = rtmidi_api()
        name, wanted = f"{self._choice.device_name} control", self._choice.control_port
        try:
            port = rtmidi.MidiIn(api, name=name)
            if wanted is not None:
                self._existing = open_existing(port, wanted)
            elif sys.platform == "win32":
                raise Unavailable("Windows has no virtual MIDI ports: name one: --control-port")
            else:
                port.open_virtual_port(name)
        except (rtmidi.RtMidiError, SystemError, NotImplementedError) as error:
            raise Unavailable(f"rtmidi cannot open a port ({error})") from None
        port.ignore_types(sysex=True, timing=True, active_sense=True)
        port.set_callback(self._heard)
        self._in = port

    def _heard(self, event: tuple[list[int], float], _: object) -> None:
        self._hear([(host_clock.now_ns(), bytes(event[0]))])

    def _take_away(self) -> None:
        if self._in is not None:
            self._in.cancel_callback()
            self._in.close_port()
            self._in = None

    def close(self) -> None:
        """Take it away."""
        self._stopping.set()
        self._thread.join(CLOSE_S)
