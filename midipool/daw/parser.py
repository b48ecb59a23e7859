"""Bytes of a MIDI port to whole messages (MIDI 1.0 Detailed Specification, 4.2 and table A-2)."""

from dataclasses import dataclass
from typing import NamedTuple

SYSEX, EOX = 0xF0, 0xF7
FIRST_STATUS, FIRST_REAL_TIME = 0x80, 0xF8
UNDEFINED_REAL_TIME = frozenset((0xF9, 0xFD))
# Data bytes behind each status: a channel's messages by their upper half, System Common in whole.
_CHANNEL_DATA = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_COMMON_DATA = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}


class MidiMessage(NamedTuple):
    """One whole message, running status expanded, and the µs at which its last byte came."""

    time_us: int
    data: bytes


@dataclass(slots=True)
class ParserFaults:
    """What a parser dropped so far."""

    stray_bytes: int = 0
    """Data bytes without a status, and an F7 without its F0."""
    cut_off: int = 0
    """Messages that a new status byte broke off."""
    too_long: int = 0
    """SysEx messages longer than the parser keeps."""
    undefined: int = 0
    """Status bytes that MIDI 1.0 does not define (F4, F5, F9, FD)."""


class MidiParser:
    """Takes bytes in pieces of any size; keeps half a message for the next piece.

    Real-time bytes are delivered where they come, also inside of other messages, which go on
    behind them. A SysEx of more than `max_sysex_bytes`, F0 and F7 counted, is skipped to its end,
    so that memory stays bounded.
    """

    def __init__(self, max_sysex_bytes: int = 256) -> None:
        self.faults = ParserFaults()
        self._max_sysex_bytes = max_sysex_bytes
        self._half = bytearray()
        """The message under way, its status first; empty between messages."""
        self._data_bytes = 0
        """How many data bytes the message under way has when it is whole; not of a SysEx."""
        self._running_status = 0
        self._skipping = False

    def feed(self, data: bytes, time_us: int) -> list[MidiMessage]:
        """The messages that are whole with `data`, which came at `time_us`, in order."""
        out = []
        for byte in data:
            message = self._take(byte)
            if message is not None:
                out.append(MidiMessage(time_us, message))
        return out

    def _take(self, byte: int) -> bytes | None:
        if byte >= FIRST_REAL_TIME:
            return self._real_time(byte)
        if byte >= FIRST_STATUS:
            return self._status(byte)
        return self._data(byte)

    def _real_time(self, byte: int) -> bytes | None:
        if byte in UNDEFINED_REAL_TIME:
            self.faults.undefined += 1
            return None
        return bytes((byte,))

    def _status(self, byte: int) -> bytes | None:
        if byte == EOX:
            return self._end_of_sysex()
        self.faults.cut_off += bool(self._half)
        self._half.clear()
        self._skipping = False
        # Running status is the channel messages' alone: System Exclusive and Common end it.
        self._running_status = byte if byte < SYSEX else 0
        if byte == SYSEX:
            self._half.append(byte)
            return None
        wanted = _COMMON_DATA.get(byte) if byte > SYSEX else _CHANNEL_DATA[byte >> 4]
        if wanted is None:
            self.faults.undefined += 1
            return None
        if wanted == 0:
            return bytes((byte,))
        self._begin(byte, wanted)
        return None

    def _begin(self, status: int, data_bytes: int) -> None:
        self._half.append(status)
        self._data_bytes = data_bytes

    def _end_of_sysex(self) -> bytes | None:
        self._running_status = 0
        message = None
        if self._half and self._half[0] == SYSEX:
            message = bytes(self._half) + bytes((EOX,))
        elif self._half:
            self.faults.cut_off += 1
        elif not self._skipping:
            self.faults.stray_bytes += 1
        self._half.clear()
        self._skipping = False
        return message

    def _data(self, byte: int) -> bytes | None:
        if self._skipping:
            return None
        if not self._half:
            if not self._running_status:
                self.faults.stray_bytes += 1
                return None
            self._begin(self._running_status, _CHANNEL_DATA[self._running_status >> 4])
        self._half.append(byte)
        if self._half[0] == SYSEX:
            self._skip_if_too_long()
            return None
        if len(self._half) <= self._data_bytes:
            return None
        message = bytes(self._half)
        self._half.clear()
        return message

    def _skip_if_too_long(self) -> None:
        if len(self._half) + 1 > self._max_sysex_bytes:
            self.faults.too_long += 1
            self._half.clear()
            self._skipping = True
