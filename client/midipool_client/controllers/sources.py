"""Which knob, key or pedal a MIDI message is of, and where it stands. Pure."""

import re
from dataclasses import dataclass
from typing import Literal, cast

from midipool.errors import InvalidValue

Kind = Literal["cc", "cc14", "note", "program", "bend"]
MOST_7, MOST_14 = 127, 16383
FINE_FROM, FINE = 32, 32
RULE = "must be cc:CHANNEL:NUMBER, cc14:…, note:…, program:…, or bend:CHANNEL; channels are 1 to 16"


@dataclass(frozen=True, slots=True)
class Source:
    """A controller of a channel (1 to 16); `cc14` is one of two that make 14 bits (MIDI 1.0)."""

    kind: Kind
    channel: int
    number: int = 0

    def __str__(self) -> str:
        tail = "" if self.kind == "bend" else f":{self.number}"
        return f"{self.kind}:{self.channel}{tail}"

    @property
    def moves(self) -> bool:
        """Whether it has places between its ends."""
        return self.kind in ("cc", "cc14", "bend")

    @property
    def presses(self) -> bool:
        """Whether it can be pressed."""
        return self.kind in ("cc", "note", "program")


@dataclass(frozen=True, slots=True)
class Moved:
    """A source that came to a place: `raw` of `most`."""

    source: Source
    raw: int
    most: int = MOST_7

    @property
    def position(self) -> float:
        """From 0 to 1."""
        return self.raw / self.most

    @property
    def balance(self) -> float:
        """From 0 to 1 with the middle where controllers have it: 64, or 8192."""
        middle = (self.most + 1) // 2
        if self.raw <= middle:
            return self.raw / (2 * middle)
        return 0.5 + (self.raw - middle) / (2 * (self.most - middle))

    @property
    def down(self) -> bool:
        """Whether it is pressed, as pedals and keys say it."""
        return self.raw > 0 if self.source.kind == "note" else self.raw > self.most // 2


def moved_by(data: bytes) -> Moved | None:
    """What a whole MIDI message moves, if anything."""
    if not data or not 0x80 <= data[0] < 0xF0:
        return None
    status, channel = data[0] & 0xF0, (data[0] & 0x0F) + 1
    match status:
        case 0x80:
            return Moved(Source("note", channel, data[1]), 0)
        case 0x90:
            return Moved(Source("note", channel, data[1]), data[2])
        case 0xB0:
            return Moved(Source("cc", channel, data[1]), data[2])
        case 0xC0:
            return Moved(Source("program", channel, data[1]), MOST_7)
        case 0xE0:
            return Moved(Source("bend", channel), data[1] | data[2] << 7, MOST_14)
    return None


def source_of(text: str) -> Source:
    """Read `cc:1:7`; raises InvalidValue."""
    match = re.fullmatch(r"(cc|cc14|note|program):(\d{1,2}):(\d{1,3})|bend:(\d{1,2})", text)
    if match is None:
        raise InvalidValue("source", f"{RULE}; not {text!r}")
    if match[4] is not None:
        source = Source("bend", int(match[4]))
    else:
        source = Source(cast(Kind, match[1]), int(match[2]), int(match[3]))
    most = FINE_FROM - 1 if source.kind == "cc14" else MOST_7
    if not 1 <= source.channel <= 16 or source.number > most:
        raise InvalidValue("source", f"{RULE}; not {text!r}")
    return source


class FineControllers:
    """Joins the two halves of 14-bit controllers: the upper one waits for its lower one."""

    def __init__(self) -> None:
        self._upper: dict[Source, int] = {}

    def joined(self, moved: Moved, known: "frozenset[Source]") -> Moved | None:
        """The message as its source has it; None for a half that is not whole yet."""
        source = moved.source
        if source.kind != "cc":
            return moved
        fine = Source("cc14", source.channel, source.number % FINE)
        if fine not in known or source.number >= FINE_FROM + FINE:
            return moved
        if source.number < FINE_FROM:
            self._upper[fine] = moved.raw
            return None
        upper = self._upper.get(fine)
        return None if upper is None else Moved(fine, upper << 7 | moved.raw, MOST_14)
