"""One port of the engine, played by the test itself."""

from dataclasses import dataclass

import pytest

from midipool.clock_map import ClockMap
from midipool_client.engine import port as port_module
from midipool_client.engine.messages import FromEngine, PortConfig, Ready, Spool
from midipool_client.engine.port import EnginePort
from midipool_client.engine.sinks import SinkChoice
from midipool_native import host_clock
from midipool_native.spooler import DISCARD_ALL_US, Spooler

CLOCK, CONTINUE = b"\xf8", b"\xfb"
SECOND_NS = 1_000_000_000


@dataclass
class OwnSink:
    """What the spooler holds is taken out by hand."""

    backend: str = "rtmidi"
    text: str = "a port"
    latency_us: int = 0

    def alive(self) -> bool:
        return True

    def close(self) -> None:
        pass


def test_a_start_that_was_sent_when_it_is_taken_back_has_all_sent_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoolers: list[Spooler] = []

    def open_sink(spooler: Spooler, *_: object) -> tuple[OwnSink, str]:
        spoolers.append(spooler)
        return OwnSink(), "as chosen"

    monkeypatch.setattr(port_module, "open_sink", open_sink)
    said: list[FromEngine] = []
    port = EnginePort(0, PortConfig(SinkChoice()), realtime=False, say=said.append)
    assert port.open()
    [spooler] = spoolers
    now_us = host_clock.now_ns() // 1000
    events = [(now_us, CONTINUE), (now_us + 1, CLOCK)]
    port.take(Spool(events, discard_from_us=DISCARD_ALL_US, clock_map=ClockMap(0, 0)))
    assert [spooler.wait_next(SECOND_NS) for _ in events] == [CONTINUE, CLOCK]

    def times_ready_after_taking_back(from_us: int) -> int:
        port.take(Spool([], discard_from_us=from_us))
        assert spooler.wait_next(0) is None  # it has taken that in
        port.watch()
        port.watch()
        return sum(isinstance(message, Ready) for message in said)

    assert times_ready_after_taking_back(now_us + 1) == 1
    assert times_ready_after_taking_back(now_us) == 2
