"""What members play to one another: MIDI messages with the room time at which they were played."""

from typing import Annotated

import msgspec
from msgspec import Meta

from midipool.messages.fields import Message, Name
from midipool.timeline import RoomTimeUs

MAX_MIDI_EVENTS = 64
MIDI_RULE = (
    "one whole MIDI message in lowercase hex: a channel message, or SysEx of at most 256 bytes"
)
# Data bytes are below 80; the clock and the transport do not pass, so that nobody starts or stops
# another one's machines with them.
_MIDI = (
    r"^(?:[89abe][0-9a-f](?:[0-7][0-9a-f]){2}"
    r"|[cd][0-9a-f][0-7][0-9a-f]"
    r"|f0(?:[0-7][0-9a-f]){0,254}f7)$(?!\n)"
)

MidiHex = Annotated[str, Meta(max_length=512, pattern=_MIDI, description=MIDI_RULE)]


class TimedMidi(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A MIDI message, written as an array of two: `[4000000, "903c40"]`."""

    time_us: RoomTimeUs
    """Room time at which it was played."""
    data: MidiHex
    """Its bytes, with the status."""


TimedMidis = Annotated[list[TimedMidi], Meta(max_length=MAX_MIDI_EVENTS)]


class Midi(Message, tag="midi", frozen=True):
    """What a member plays, for all other members; has no answer.

    Whoever holds notes sends one at least every 300 ms, without events if there are none: after
    1 s without any, the others end the notes.
    """

    events: TimedMidis = msgspec.field(default_factory=list)
    """In order; empty means: still here."""


class MidiFrom(Message, tag="midi_from", frozen=True):
    """What another member plays."""

    name: Name
    """Who."""
    events: TimedMidis = msgspec.field(default_factory=list)
    """In order; empty means: still there."""
    silence: bool = False
    """Messages of this member were left out. In front of `events`, end all notes of it, and put
    back the pedals and controllers that it moved."""


def timed_midi(time_us: int, data: bytes) -> TimedMidi:
    """A message to send; `data` is one that `midi_kinds.kind_of` has a kind for."""
    return TimedMidi(time_us, data.hex())
