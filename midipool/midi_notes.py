"""What still sounds, or stands off its rest, after the MIDI messages that were sent to a device."""

from midipool.midi_kinds import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    CHANNEL_PRESSURE,
    CONTROLLER,
    KEY_PRESSURE,
    PITCH_BEND,
    RESET_CONTROLLERS,
    SYSEX,
    is_note_off,
    is_note_on,
    mode_of,
    note_off_of,
)

# Where controllers stand that nobody moved: those that RP-015 (Response to Reset All Controllers)
# puts back, without volume, pan and sounds, which belong to the instrument.
RESTS = {1: 0, 2: 0, 11: 127, 64: 0, 65: 0, 66: 0, 67: 0, 68: 0, 69: 0}
HOLDING_PEDALS = frozenset((64, 66, 69))
CENTRE = bytes((0x00, 0x40))


class Sounding:
    """Follows the messages to one device, or those of one sender to it; memory is bounded.

    A note sounds from its note-on to the first note-off, however many note-ons there were.
    """

    def __init__(self) -> None:
        # Each by the message that ends it or puts it to rest, oldest first.
        self._notes: dict[bytes, None] = {}
        self._moved: dict[bytes, None] = {}

    def note(self, data: bytes) -> None:
        """Take note of a message, whole and with its status byte; any other bytes are ignored."""
        if len(data) < 2 or not 0x80 <= data[0] < SYSEX:
            return
        if len(data) == 2 and data[0] & 0xF0 != CHANNEL_PRESSURE:
            return
        mode = mode_of(data)
        if mode is not None:
            self._mode(mode, data[0] & 0x0F)
        elif is_note_on(data):
            self._notes[note_off_of(data)] = None
        elif is_note_off(data):
            self._notes.pop(note_off_of(data), None)
        elif (rest := _rest_of(data)) is not None:
            if data[: len(rest)] == rest:
                self._moved.pop(rest, None)
            else:
                self._moved[rest] = None

    def holds(self, data: bytes) -> bool:
        """Whether the note that a note-on or note-off is about sounds."""
        return note_off_of(data) in self._notes

    def ends(self, data: bytes) -> bool:
        """Whether a message ends a note that sounds, or puts to rest what was moved."""
        if is_note_off(data):
            return self.holds(data)
        return _rest_of(data) == data and data in self._moved

    @property
    def active(self) -> bool:
        """Whether anything sounds: a note, or what a pedal holds."""
        if self._notes:
            return True
        return any(r[0] & 0xF0 == CONTROLLER and r[1] in HOLDING_PEDALS for r in self._moved)

    @property
    def touched(self) -> bool:
        """Whether `silence` would return anything."""
        return bool(self._notes or self._moved)

    def end_notes(self, channel: int | None = None) -> list[bytes]:
        """The note-offs for what sounds on a channel (1 to 16), or on all; it is over then."""
        return _take(self._notes, channel)

    def rest(self, channel: int | None = None) -> list[bytes]:
        """The messages that put back what was moved, pedals and pitch bend too."""
        return _take(self._moved, channel)

    def silence(self, channel: int | None = None) -> list[bytes]:
        """End the notes and put back what was moved, on those channels that were touched."""
        return self.end_notes(channel) + self.rest(channel)

    def _mode(self, mode: int, channel: int) -> None:
        if mode == RESET_CONTROLLERS:
            self.rest(channel + 1)
        elif mode == ALL_SOUND_OFF or mode >= ALL_NOTES_OFF:
            self.end_notes(channel + 1)


def _rest_of(data: bytes) -> bytes | None:
    """The message that takes back what `data` moves; None if that stays as it is."""
    match data[0] & 0xF0:
        case 0xB0 if data[1] in RESTS:
            return bytes((data[0], data[1], RESTS[data[1]]))
        case 0xE0:
            return bytes((PITCH_BEND | data[0] & 0x0F, *CENTRE))
        case 0xD0:
            return bytes((CHANNEL_PRESSURE | data[0] & 0x0F, 0))
        case 0xA0:
            return bytes((KEY_PRESSURE | data[0] & 0x0F, data[1], 0))
    return None


def _take(messages: dict[bytes, None], channel: int | None) -> list[bytes]:
    """Those of a channel, taken out."""
    taken = [m for m in messages if channel is None or m[0] & 0x0F == channel - 1]
    for message in taken:
        del messages[message]
    return taken
