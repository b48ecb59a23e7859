"""MIDI Machine Control commands (RP-013) as a DAW sends them: stop, play, locate.

A command message is `F0 7F <device> 06 <command> … F7` and may hold several commands. Of these,
00 to 3F and 78 to 7F stand alone, 40 to 77 are followed by a count and as many data bytes.
"""

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from midipool.daw.parser import EOX, SYSEX

REAL_TIME_ID, MMC_COMMAND = 0x7F, 0x06
ALL_CALL = 0x7F
LOCATE, TARGET, TARGET_BYTES = 0x44, 0x01, 6
FIRST_WITH_DATA, LAST_WITH_DATA = 0x40, 0x77
EXTENSION = 0x00
# What a room has no word for; named for displays and logs.
NO_COMMAND = {
    0x04: "fast forward",
    0x05: "rewind",
    0x06: "record strobe",
    0x07: "record exit",
    0x08: "record pause",
    0x0A: "eject",
    0x0B: "chase",
    0x0C: "command error reset",
    0x0D: "MMC reset",
    0x40: "write",
    0x41: "masked write",
    0x42: "read",
    0x43: "update",
    0x45: "variable play",
    0x46: "search",
    0x47: "shuttle",
    0x48: "step",
}


class FrameRate(Enum):
    """Frames a second of a time code, by their code in MTC and MMC."""

    FPS_24 = 0
    FPS_25 = 1
    DROP_FRAME = 2
    FPS_30 = 3

    @property
    def a_second(self) -> Fraction:
        """Frames that pass in a second."""
        return _FRAMES_A_SECOND[self.value]


_FRAMES_A_SECOND = (Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(30))


class MmcTransport(Enum):
    """A command without data that changes whether the song plays."""

    STOP = "stop"
    PLAY = "play"


@dataclass(frozen=True, slots=True)
class MmcTarget:
    """LOCATE to a time of the song, in exact seconds from its start."""

    seconds: Fraction
    rate: FrameRate
    """What its frames were taken for."""


MmcCommand = MmcTransport | MmcTarget
# Deferred play is play once a locate is done; pause is stop for a room, which has no third state.
_TRANSPORT = {
    0x01: MmcTransport.STOP,
    0x02: MmcTransport.PLAY,
    0x03: MmcTransport.PLAY,
    0x09: MmcTransport.STOP,
}


@dataclass(frozen=True, slots=True)
class MmcReading:
    """What one message says; with a `fault` it is damaged, and says nothing."""

    commands: tuple[MmcCommand, ...] = ()
    ignored: tuple[str, ...] = ()
    """Names of commands that are known and mean nothing to a room."""
    fault: str | None = None


class _Damaged(Exception):
    """Why a message cannot be read."""


def read_mmc(
    sysex: bytes, device: int = ALL_CALL, unsaid_rate: FrameRate = FrameRate.FPS_24
) -> MmcReading | None:
    """What a whole SysEx says to `device`; None when it is no MMC command, or another device's.

    Device 7F, in the message or here, is every device. Some DAWs leave the frame rate's bits
    empty, which is also the code of 24: then it is `unsaid_rate`.
    """
    if len(sysex) < 5 or (sysex[0], sysex[1], sysex[3]) != (SYSEX, REAL_TIME_ID, MMC_COMMAND):
        return None
    if device != sysex[2] and ALL_CALL not in (device, sysex[2]):
        return None
    try:
        return _read_commands(sysex, unsaid_rate)
    except _Damaged as fault:
        return MmcReading(fault=str(fault))


def _read_commands(sysex: bytes, unsaid_rate: FrameRate) -> MmcReading:
    if sysex[-1] != EOX or max(sysex[1:-1]) >= 0x80:
        raise _Damaged("an MMC message that is not one whole SysEx")
    if len(sysex) == 5:
        raise _Damaged("an MMC message without a command")
    commands: list[MmcCommand] = []
    ignored: list[str] = []
    rest = sysex[4:-1]
    while rest:
        code, data, rest = _split(rest)
        if code in _TRANSPORT:
            commands.append(_TRANSPORT[code])
        elif code == LOCATE and data[:1] != bytes((TARGET,)):
            ignored.append("locate to a place that only the device knows")
        elif code == LOCATE:
            commands.append(_target(data, unsaid_rate))
        else:
            ignored.append(NO_COMMAND.get(code, f"command {code:02X}"))
    return MmcReading(tuple(commands), tuple(ignored))


def _split(rest: bytes) -> tuple[int, bytes, bytes]:
    """The first command, its data, and what is behind it."""
    code = rest[0]
    if code == EXTENSION:
        raise _Damaged("an MMC command of an extension set, whose length nobody knows")
    if not FIRST_WITH_DATA <= code <= LAST_WITH_DATA:
        return code, b"", rest[1:]
    if len(rest) < 2 or len(rest) < 2 + rest[1]:
        raise _Damaged(f"MMC command {code:02X} ends before its data does")
    end = 2 + rest[1]
    return code, rest[2:end], rest[end:]


def _target(data: bytes, unsaid_rate: FrameRate) -> MmcTarget:
    """LOCATE [TARGET]: `01 hr mn sc fr ff`, RP-013's time code with subframes.

    hr holds the rate in bits 5 and 6; fr is negative with bit 6, and its bit 5 says that ff is a
    status and no subframe.
    """
    if len(data) != TARGET_BYTES:
        raise _Damaged(f"MMC locate has {len(data)} data bytes, not {TARGET_BYTES}")
    _, hr, mn, sc, fr, ff = data
    hours, minutes, seconds, frames = hr & 0x1F, mn & 0x3F, sc & 0x3F, fr & 0x1F
    rate = _rate(hr >> 5 & 3, frames, unsaid_rate)
    subframes = 0 if fr & 0x20 else ff
    if hours > 23 or minutes > 59 or seconds > 59 or subframes > 99:
        raise _Damaged("MMC locate to a time that no clock shows")
    if frames >= -(-rate.a_second // 1):
        raise _Damaged(f"MMC locate to frame {frames}, which a second has not")
    if fr & 0x40:
        raise _Damaged("MMC locate to a time before the song")
    if rate is FrameRate.DROP_FRAME:
        count = _drop_frames(hours * 60 + minutes, seconds, frames)
    else:
        count = ((hours * 60 + minutes) * 60 + seconds) * int(rate.a_second) + frames
    return MmcTarget((count + Fraction(subframes, 100)) / rate.a_second, rate)


def _rate(code: int, frames: int, unsaid_rate: FrameRate) -> FrameRate:
    said = FrameRate(code)
    if said is not FrameRate.FPS_24:
        return said
    # A frame that a second of the rate has not says that the rate is another one.
    return unsaid_rate if frames < unsaid_rate.a_second else FrameRate.FPS_30


def _drop_frames(minutes: int, seconds: int, frames: int) -> int:
    """Frames since 0:00 in drop-frame time code.

    Each minute but every tenth begins with frame 2. Who names frame 0 or 1 of such a minute all
    the same means its beginning.
    """
    if minutes % 10 and seconds == 0:
        frames = max(frames, 2)
    return (minutes * 60 + seconds) * 30 + frames - 2 * (minutes - minutes // 10)
