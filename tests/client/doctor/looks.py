"""What the doctor may see: a good machine, good MIDI and a good way to a server, to be changed."""

from midipool.clock_sync import ClockEstimate
from midipool_client.doctor.midi import JackServerLook, MidiLook
from midipool_client.doctor.network import NetworkLook, Probed, Reached
from midipool_client.doctor.timers import Lateness, RealtimeTrial

MS_NS = 1_000_000

JACK = JackServerLook(
    sample_rate=48_000,
    period_frames=128,
    realtime=True,
    xruns=0,
    looked_ms=1000,
    ports=["system:midi_capture_1", "Hydrogen:TX"],
    clients=["Hydrogen", "system"],
)
MIDI = MidiLook(
    platform="linux",
    jack_library="/usr/lib/libjack.so.0.1.0",
    jack_version="1.9.22",
    jack_server="default",
    jack=JACK,
    jack_error="",
    programs=["jackd"],
    sequencer="usable",
    apis=["alsa", "jack"],
    ports=[],
)
REACHED = Reached(
    where="host:8765",
    room="jam",
    addresses=["192.0.2.7"],
    connect_ms=12.3,
    rooms=2,
    version=1,
    room_exists=True,
    clock_port=8765,
)


def late(p99_us: float = 40.0, max_us: float | None = None) -> Lateness:
    return Lateness(p99_us / 2, p99_us, p99_us if max_us is None else max_us, 1000)


def trial(
    p99_us: float = 40.0, realtime: bool = True, max_us: float | None = None
) -> RealtimeTrial:
    measured = late(p99_us, max_us)
    return RealtimeTrial(realtime, realtime, measured, measured if realtime else None)


def estimate(
    jitter_ms: float = 0.1, error_bound_ms: float = 0.5, round_trip_ms: float = 0.9
) -> ClockEstimate:
    return ClockEstimate(
        at_ns=0,
        offset_ns=123_456_789,
        drift=0.0,
        error_bound_ns=round(error_bound_ms * MS_NS),
        round_trip_ns=round(round_trip_ms * MS_NS),
        jitter_ns=round(jitter_ms * MS_NS),
    )


def probed(measured: ClockEstimate | None = None, answered: int = 50, websocket: int = 0) -> Probed:
    count = answered or websocket
    return Probed(
        udp_sent=50,
        udp_answered=answered,
        websocket_answered=websocket,
        round_trips_ns=[900_000 + number * 1000 for number in range(count)],
        estimate=(measured or estimate()) if count >= 12 else None,
    )


def way(probes: Probed | None = None) -> NetworkLook:
    return NetworkLook(REACHED, None, probed() if probes is None else probes)
