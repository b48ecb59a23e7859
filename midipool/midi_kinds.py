"""Kinds of MIDI messages that musicians share, and what one message says (MIDI 1.0, tables 1-4).

Every function takes one whole message with its status byte.
"""

from typing import Literal, get_args

Kind = Literal["notes", "controllers", "pitch_bend", "programs", "aftertouch", "sysex"]
KINDS: tuple[Kind, ...] = get_args(Kind)

NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROLLER = 0x80, 0x90, 0xA0, 0xB0
PROGRAM, CHANNEL_PRESSURE, PITCH_BEND = 0xC0, 0xD0, 0xE0
SYSEX, EOX = 0xF0, 0xF7
# Channel mode messages: controllers from 120 on.
ALL_SOUND_OFF, RESET_CONTROLLERS, LOCAL_CONTROL, ALL_NOTES_OFF = 120, 121, 122, 123
# MIDI 1.0, Note-Off: the velocity of those that have none to tell.
RELEASE_VELOCITY = 64
MAX_MESSAGE_BYTES = 256

_KINDS: dict[int, Kind] = {
    NOTE_OFF: "notes",
    NOTE_ON: "notes",
    KEY_PRESSURE: "aftertouch",
    CONTROLLER: "controllers",
    PROGRAM: "programs",
    CHANNEL_PRESSURE: "aftertouch",
    PITCH_BEND: "pitch_bend",
}


def kind_of(data: bytes) -> Kind | None:
    """What a message is to those who share it; None if it is not to be shared.

    What ends notes (All Notes Off and its like) goes with the notes. Local Control is between a
    keyboard and its owner.
    """
    if not data:
        return None
    if data[0] == SYSEX:
        whole = len(data) <= MAX_MESSAGE_BYTES and data[-1] == EOX
        return "sysex" if whole and all(byte < 0x80 for byte in data[1:-1]) else None
    kind = _KINDS.get(data[0] & 0xF0)
    if kind is None or len(data) != _length(data[0]) or any(byte > 0x7F for byte in data[1:]):
        return None
    mode = mode_of(data)
    if mode is None or mode == RESET_CONTROLLERS:
        return kind
    return None if mode == LOCAL_CONTROL else "notes"


def _length(status: int) -> int:
    return 2 if status & 0xF0 in (PROGRAM, CHANNEL_PRESSURE) else 3


def channel_of(data: bytes) -> int | None:
    """The channel, 1 to 16; None for SysEx."""
    return (data[0] & 0x0F) + 1 if data[0] < SYSEX else None


def is_note_on(data: bytes) -> bool:
    """Whether a note begins: Note-On of velocity 0 is a note-off (MIDI 1.0, Note-Off)."""
    return data[0] & 0xF0 == NOTE_ON and data[2] > 0


def is_note_off(data: bytes) -> bool:
    """Whether a note ends."""
    status = data[0] & 0xF0
    return status == NOTE_OFF or (status == NOTE_ON and data[2] == 0)


def note_off_of(data: bytes) -> bytes:
    """The note-off, always the same one, for the note that a note message is about."""
    return bytes((NOTE_OFF | data[0] & 0x0F, data[1], RELEASE_VELOCITY))


def mode_of(data: bytes) -> int | None:
    """The number of a channel mode message, 120 to 127; None for any other message."""
    if data[0] & 0xF0 == CONTROLLER and data[1] >= ALL_SOUND_OFF:
        return data[1]
    return None
