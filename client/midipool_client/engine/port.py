"""One port of the engine: its spooler, its sink, and bringing both back when they go."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from midipool.errors import MidiPoolError
from midipool.midi_notes import Sounding
from midipool_client.engine.control_input import ControlInput
from midipool_client.engine.jack_sink import JackMidiSink
from midipool_client.engine.messages import (
    FromEngine,
    Heard,
    PortConfig,
    PortStatus,
    Problem,
    Ready,
    Spool,
)
from midipool_client.engine.open_sink import open_sink
from midipool_client.engine.sinks import Sink
from midipool_native import host_clock
from midipool_native.checks import NativeError
from midipool_native.spooler import DISCARD_ALL_US, Rewrite, Spooler

RESTORE_TRIES = 40
GOODBYE_NS = 200_000_000
OPEN_AGAIN_S = 0.5
STOP = b"\xfc"


class EnginePort:
    """Plays what is spooled for it and says what it hears; `say` may be called on any thread."""

    def __init__(
        self, index: int, config: PortConfig, realtime: bool, say: Callable[[FromEngine], None]
    ) -> None:
        self._index = index
        self._choice = config.choice
        self._connections = config.connections
        self._realtime = realtime
        self._say = say
        self._spooler = Spooler()
        self._sounding = Sounding()
        self._sink: Sink | None = None
        self._control: ControlInput | None = None
        self._why = ""
        self._complaint = ""
        self._overtaken = 0
        self._restoring = 0
        self._next_try_s = 0.0

    def open(self) -> bool:
        """Make the ports; False, after saying why, if that cannot be."""
        try:
            sink, self._why = open_sink(
                self._spooler, self._choice, self._heard, self._heard_control
            )
        except MidiPoolError as error:
            self._complain(str(error))
            self._next_try_s = time.monotonic() + OPEN_AGAIN_S
            return False
        # What was chosen first is waited for when it goes.
        self._choice = replace(self._choice, backend=sink.backend)
        self._restoring = RESTORE_TRIES
        self._restore_connections(sink)
        self._sink = sink
        self._complaint = ""
        self._say_ready(sink)
        self._open_control(sink)
        return True

    def _open_control(self, sink: Sink) -> None:
        """Controllers that the sink does not hear itself."""
        elsewhere = sink.backend != "jack" or self._choice.control_port is not None
        if self._choice.control and elsewhere and self._control is None:
            self._control = ControlInput(self._choice, self._heard_control, self._complain)

    def take(self, spool: Spool) -> None:
        """Play a batch."""
        if self._sink is None:
            return  # Nobody would play it; the client sends all anew when the port is ready.
        try:
            self._spooler.submit(
                spool.events,
                discard_from_us=spool.discard_from_us,
                notes=spool.notes,
                click=spool.click,
                clock_map=spool.clock_map,
            )
        except (NativeError, MidiPoolError) as error:
            self._complain(str(error))
            self._say_ready(self._sink)  # a batch is lost: let the client send all anew
            return
        for lane in (spool.notes, spool.click):
            for _, data in lane.events if lane is not None else ():
                self._sounding.note(data)

    def watch(self) -> PortStatus:
        """Bring the port back when its server or device went and came again; how it does now."""
        if self._sink is not None and not self._sink.alive():
            self._sink.close()
            self._sink = None
            self._complain("the MIDI ports are gone; waiting for them to come back")
        if self._sink is None and time.monotonic() >= self._next_try_s:
            self.open()
        return self._status()

    def _status(self) -> PortStatus:
        stats = self._spooler.stats()
        if stats.overtaken != self._overtaken and self._sink is not None:
            self._overtaken = stats.overtaken
            self._say_ready(self._sink)  # the device is lost: let the client send all anew
        info = None
        if isinstance(self._sink, JackMidiSink):
            info = self._sink.info()
            self._restore_connections(self._sink)
        return PortStatus(
            ticks=stats.ticks,
            late=stats.late,
            dropped=stats.dropped,
            queued=stats.queued,
            max_late_us=stats.max_late_ns / 1000,
            xruns=info.xruns if info else 0,
            clock_resets=info.clock_resets if info else 0,
            connections=self._connections,
            open=self._sink is not None,
        )

    def _restore_connections(self, sink: Sink) -> None:
        """Make the connections from before, some of which may come late; then keep their list."""
        if not isinstance(sink, JackMidiSink):
            return
        there = sink.connections()
        missing = [wanted for wanted in self._connections if wanted not in there]
        if missing and self._restoring > 0:
            self._restoring -= 1
            sink.connect(missing)
        else:
            self._restoring = 0
            self._connections = there

    def close(self) -> None:
        """Leave no device running and no note sounding."""
        if self._control is not None:
            self._control.close()
        if self._sink is None:
            return
        if self._sink.alive():
            self._say_goodbye()
        self._sink.close()

    def _say_goodbye(self) -> None:
        long_ago_us = DISCARD_ALL_US // 2000
        stop = [(long_ago_us, STOP)] if self._spooler.stats().running else []
        silence = [(long_ago_us, data) for data in self._sounding.silence()]
        self._spooler.submit(
            stop,
            discard_from_us=DISCARD_ALL_US,
            notes=Rewrite(silence, DISCARD_ALL_US),
            click=Rewrite([], DISCARD_ALL_US),
        )
        done = self._spooler.stats().events + len(stop) + len(silence)
        give_up_ns = host_clock.now_ns() + GOODBYE_NS
        while not self._said(done) and host_clock.now_ns() < give_up_ns:
            threading.Event().wait(0.005)

    def _said(self, events: int) -> bool:
        stats = self._spooler.stats()
        return stats.events >= events and not stats.queued and not stats.running

    def _say_ready(self, sink: Sink) -> None:
        self._say(
            Ready(
                backend=sink.backend,
                text=f"{sink.text} ({self._why})",
                realtime=self._realtime,
                latency_us=sink.latency_us,
                port=self._index,
            )
        )

    def _heard(self, events: list[tuple[int, bytes]]) -> None:
        self._say(Heard(events, self._index))

    def _heard_control(self, events: list[tuple[int, bytes]]) -> None:
        self._say(Heard(events, self._index, control=True))

    def _complain(self, text: str) -> None:
        """Say once what is wrong, not at every try."""
        if text != self._complaint:
            self._complaint = text
            self._say(Problem(text, self._index))
