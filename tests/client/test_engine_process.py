"""What the MIDI engine's reports come to."""

from midipool_client.engine.messages import EngineStatus, PortStatus
from midipool_client.engine.process import EngineProcess


def test_tick_jitter_is_the_latest_tick_of_any_port_in_the_last_second() -> None:
    engine = EngineProcess([], lambda ready: None)
    assert engine.tick_jitter_us == 0.0
    for lateness_us in ((3.0, 250.0), (2.0, 1.0), (4.0, 9.0), (0.0, 0.0)):
        ports = [PortStatus(24, 0, 0, 0, max_late_us=late_us) for late_us in lateness_us]
        engine._take(EngineStatus(ports))
    assert engine.tick_jitter_us == 250.0
    engine._take(EngineStatus([]))
    assert engine.tick_jitter_us == 9.0
