"""What client and effects engine say to one another: msgpack, each message behind its length."""

from collections.abc import Mapping

import msgspec

from midipool.effects.board import Effect
from midipool.errors import InvalidMessage
from midipool_client.engine.framing import framed


class EffectsConfig(msgspec.Struct, frozen=True):
    """How the client starts an effects engine: as JSON on its command line."""

    memory_fd: int
    rate: int
    in_channels: int
    out_channels: int
    priority: int
    """Of the thread that has a deadline; 0 is an ordinary one."""


class Work(msgspec.Struct, tag="work", frozen=True):
    """To the engine: all that is to be done from now on."""

    version: int
    """Said again in the status once it is done."""
    boards: Mapping[str, tuple[Effect, ...]] = {}
    """What is not bypassed, by place."""
    bpm: float = 120.0
    tuner: int = 0
    """The own channel that is tuned, from 1; 0 is none."""


class Pitch(msgspec.Struct, frozen=True):
    """What a tuner hears; `hz` 0 is nothing to tune by."""

    hz: float = 0.0
    note: str = ""
    cents: float = 0.0
    """Off the note, -50 to 50."""


class EffectsStatus(msgspec.Struct, tag="status", frozen=True):
    """From the engine, some times a second."""

    version: int
    load: float
    """The part of a period that the work took, in the mean."""
    most_load: float
    latency_frames: tuple[int, int]
    """That effects add beyond their block: own channels, master."""
    problems: Mapping[int, str] = {}
    """Why an effect is left out, by its id."""
    found: Mapping[int, Mapping[str, float]] = {}
    """What a plug-in lets be set, from 0 to 1, as it is: by its id and the parameter's name."""
    pitch: Pitch | None = None


class EffectsProblem(msgspec.Struct, tag="problem", frozen=True):
    """From the engine: it cannot work."""

    text: str


FromEffects = EffectsStatus | EffectsProblem
ToEffects = Work

_from_engine: msgspec.msgpack.Decoder[FromEffects] = msgspec.msgpack.Decoder(FromEffects)
_to_engine: msgspec.msgpack.Decoder[ToEffects] = msgspec.msgpack.Decoder(ToEffects)
_encoder = msgspec.msgpack.Encoder()


def encode(message: FromEffects | ToEffects) -> bytes:
    """A message behind its length."""
    return framed(_encoder.encode(message))


def decode_from_engine(body: bytes) -> FromEffects:
    """A message without its length; raises InvalidMessage."""
    try:
        return _from_engine.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidMessage(f"from the effects engine: {error}") from None


def decode_to_engine(body: bytes) -> ToEffects:
    """A message without its length; raises InvalidMessage."""
    try:
        return _to_engine.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidMessage(f"to the effects engine: {error}") from None
