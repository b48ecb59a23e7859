"""What client and MIDI engine say to one another: msgpack, each message behind its length (u32)."""

from typing import TypeVar

import msgspec

from midipool.clock_map import ClockMap
from midipool.errors import InvalidMessage
from midipool_client.engine.framing import framed
from midipool_client.engine.sinks import SinkChoice
from midipool_native.spooler import Rewrite

T = TypeVar("T")


class PortConfig(msgspec.Struct, frozen=True):
    """How the client wants a port."""

    choice: SinkChoice
    connections: list[tuple[int, str]] = []


class EngineConfig(msgspec.Struct, frozen=True):
    """How the client starts an engine: as JSON on its command line."""

    ports: list[PortConfig]
    again: bool = False
    """An engine was there before: what is missing now may come back."""


class Spool(msgspec.Struct, tag="spool", frozen=True):
    """To the engine, for one port: takes effect all at once."""

    events: list[tuple[int, bytes]] = []
    """(room µs, bytes) of the clock, in order."""
    discard_from_us: int | None = None
    """What is queued for this room time or later goes first."""
    clock_map: ClockMap | None = None
    notes: Rewrite | None = None
    """The others' notes: a lane of its own, which is played between the clock's events."""
    click: Rewrite | None = None
    """Another lane."""
    port: int = 0
    """Which of the ports that the engine was started with."""


class Ready(msgspec.Struct, tag="ready", frozen=True):
    """From the engine: the ports are there; anything spooled before is gone or old."""

    backend: str
    text: str
    realtime: bool
    latency_us: int
    """How far before its time an event may leave the spooler."""
    port: int = 0


class PortStatus(msgspec.Struct, frozen=True):
    """How one port does."""

    ticks: int
    late: int
    dropped: int
    queued: int
    max_late_us: float
    xruns: int = 0
    clock_resets: int = 0
    connections: list[tuple[int, str]] = []
    """(which of our ports, other port) on JACK: to be made again after a crash."""
    open: bool = True
    """Whether the port is there now."""


class EngineStatus(msgspec.Struct, tag="status", frozen=True):
    """From the engine, four times a second."""

    ports: list[PortStatus]


class Problem(msgspec.Struct, tag="problem", frozen=True):
    """From the engine: a port cannot be had (any more)."""

    text: str
    port: int = 0


class Heard(msgspec.Struct, tag="heard", frozen=True):
    """From the engine: what arrived at a port's input."""

    events: list[tuple[int, bytes]]
    """(host ns, bytes); long messages come in pieces."""
    port: int = 0
    control: bool = False
    """Whether it was the input for controllers."""


FromEngine = Ready | EngineStatus | Problem | Heard
ToEngine = Spool

_from_engine: msgspec.msgpack.Decoder[FromEngine] = msgspec.msgpack.Decoder(FromEngine)
_to_engine: msgspec.msgpack.Decoder[ToEngine] = msgspec.msgpack.Decoder(ToEngine)
_encoder = msgspec.msgpack.Encoder()


def encode(message: FromEngine | ToEngine) -> bytes:
    """A message behind its length."""
    return framed(_encoder.encode(message))


def decode_from_engine(body: bytes) -> FromEngine:
    """A message without its length; raises InvalidMessage."""
    return _decode(_from_engine, body)


def decode_to_engine(body: bytes) -> ToEngine:
    """A message without its length; raises InvalidMessage."""
    return _decode(_to_engine, body)


def _decode(decoder: "msgspec.msgpack.Decoder[T]", body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidMessage(f"between client and MIDI engine: {error}") from None
