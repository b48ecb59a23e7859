"""What a MIDI message says of the song: clock, transport, position, loop.

Everything else (notes, controllers, programs) is not control, and goes other ways.

MIDI has no message for a loop area, so there is one of ours, with the manufacturer id that is
free for such use (7D):

    F0 7D 6D 50 01 <start lsb> <start msb> <end lsb> <end msb> F7    repeat start to end
    F0 7D 6D 50 01 F7                                                no loop

Bars are numbered from 1, seven bits a byte; the end bar is the first that is not repeated.
"""

from dataclasses import dataclass
from fractions import Fraction

from midipool.daw.mmc import (
    ALL_CALL,
    REAL_TIME_ID,
    FrameRate,
    MmcReading,
    MmcTransport,
    read_mmc,
)
from midipool.daw.parser import EOX, SYSEX, MidiMessage
from midipool.errors import InvalidValue
from midipool.meter import Loop

LOOP_AREA = bytes((SYSEX, 0x7D, 0x6D, 0x50, 0x01))
MAX_LOOP_BAR = 2**14 - 1
SONG_POSITION = 0xF2
# MTC: quarter frames, of which piece 7 has the rate, and the full frame (MIDI 1.0, Time Code).
QUARTER_FRAME, RATE_PIECE = 0xF1, 7
FULL_FRAME, FULL_FRAME_BYTES = b"\x01\x01", 10


@dataclass(frozen=True, slots=True)
class _Event:
    """The base of all control events: when it came."""

    time_us: int


class Tick(_Event):
    """F8: a 24th of a quarter note has passed."""

    __slots__ = ()


class Start(_Event):
    """FA: the next F8 is the beginning of the song."""

    __slots__ = ()


class Stop(_Event):
    """FC."""

    __slots__ = ()


class Continue(_Event):
    """FB: the next F8 is where the song stands."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SongPosition(_Event):
    """F2: where the song stands, in sixteenths from its beginning. Some DAWs count otherwise."""

    sixteenths: int


class MmcPlay(_Event):
    """MMC play, or deferred play."""

    __slots__ = ()


class MmcStop(_Event):
    """MMC stop, or pause."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class MmcLocate(_Event):
    """MMC locate, in exact seconds from the beginning of the song."""

    seconds: Fraction
    rate: FrameRate
    """What its frames were taken for."""


@dataclass(frozen=True, slots=True)
class TimeCodeRate(_Event):
    """MTC: the frames a second that the DAW counts in."""

    rate: FrameRate


@dataclass(frozen=True, slots=True)
class LoopArea(_Event):
    """The bars that repeat from now on; None: none."""

    loop: Loop | None


ControlEvent = (
    Tick
    | Start
    | Stop
    | Continue
    | SongPosition
    | MmcPlay
    | MmcStop
    | MmcLocate
    | TimeCodeRate
    | LoopArea
)
_REAL_TIME: dict[int, type[Tick | Start | Stop | Continue]] = {
    0xF8: Tick,
    0xFA: Start,
    0xFB: Continue,
    0xFC: Stop,
}


def control_events(
    message: MidiMessage, device: int = ALL_CALL, unsaid_rate: FrameRate = FrameRate.FPS_24
) -> tuple[ControlEvent, ...]:
    """What a whole message says; empty when it is not control, damaged, or for another device.

    Only MMC can say several things at once; `unsaid_rate` is what its frames are if it does not
    say so.
    """
    time_us, data = message
    if len(data) == 1 and data[0] in _REAL_TIME:
        return (_REAL_TIME[data[0]](time_us),)
    if len(data) == 3 and data[0] == SONG_POSITION:
        return (SongPosition(time_us, data[1] | data[2] << 7),)
    if len(data) == 2 and data[0] == QUARTER_FRAME:
        is_rate = data[1] >> 4 == RATE_PIECE
        return (TimeCodeRate(time_us, FrameRate(data[1] >> 1 & 3)),) if is_rate else ()
    if data[:1] != bytes((SYSEX,)):
        return ()
    if len(data) == FULL_FRAME_BYTES and data[1] == REAL_TIME_ID and data[3:5] == FULL_FRAME:
        return (TimeCodeRate(time_us, FrameRate(data[5] >> 5 & 3)),)
    if data.startswith(LOOP_AREA):
        return _loop_area(time_us, data)
    return _mmc(time_us, read_mmc(data, device, unsaid_rate))


def loop_area_bytes(loop: Loop | None) -> bytes:
    """Our SysEx that states a loop; raises InvalidValue past bar 16383."""
    if loop is None:
        return LOOP_AREA + bytes((EOX,))
    if loop.end_bar > MAX_LOOP_BAR:
        raise InvalidValue("loop", f"MIDI can say bars up to {MAX_LOOP_BAR}")
    bars = (loop.start_bar, loop.end_bar)
    return LOOP_AREA + bytes(b for bar in bars for b in (bar & 0x7F, bar >> 7)) + bytes((EOX,))


def _loop_area(time_us: int, data: bytes) -> tuple[ControlEvent, ...]:
    bars = data[len(LOOP_AREA) : -1]
    if not bars:
        return (LoopArea(time_us, None),)
    if len(bars) != 4:
        return ()
    start, end = bars[0] | bars[1] << 7, bars[2] | bars[3] << 7
    return (LoopArea(time_us, Loop(start, end)),) if 1 <= start < end else ()


def _mmc(time_us: int, reading: MmcReading | None) -> tuple[ControlEvent, ...]:
    events: list[ControlEvent] = []
    for command in reading.commands if reading is not None else ():
        match command:
            case MmcTransport.PLAY:
                events.append(MmcPlay(time_us))
            case MmcTransport.STOP:
                events.append(MmcStop(time_us))
            case target:
                events.append(MmcLocate(time_us, target.seconds, target.rate))
    return tuple(events)
