"""Beats, meters, bars and positions.

A *beat* is a quarter note, as in MIDI clock and in every DAW's BPM, and is counted in int64
micro-beats (`_beats`). A bar's own beats (*counts*) are its denominator's notes: 7/8 has seven
counts and 3.5 beats. Bars and counts are numbered from 1, song beats from 0.
"""

import re
from typing import Annotated

import msgspec

from midipool.errors import InvalidValue

BEAT = 1_000_000
WHOLE_NOTE_BEATS = 4 * BEAT
CLOCKS_PER_BEAT = 24
CLOCKS_PER_SIXTEENTH = 6
SIXTEENTH_BEATS = BEAT // 4
MAX_BAR = 99_999
MAX_NUMERATOR = 64
DENOMINATORS = (1, 2, 4, 8, 16, 32)

BarNumber = Annotated[int, msgspec.Meta(ge=1, le=MAX_BAR)]


class Meter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time signature, N/1 to N/32."""

    numerator: Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMERATOR)] = 4
    denominator: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.numerator <= MAX_NUMERATOR:
            raise InvalidValue("meter", f"the numerator must be 1 to {MAX_NUMERATOR}")
        if self.denominator not in DENOMINATORS:
            raise InvalidValue("meter", "the denominator must be 1, 2, 4, 8, 16 or 32")

    @property
    def count_beats(self) -> int:
        """Length of one count, in micro-beats."""
        return WHOLE_NOTE_BEATS // self.denominator

    @property
    def bar_beats(self) -> int:
        """Length of one bar, in micro-beats."""
        return self.numerator * self.count_beats

    def bar_start(self, bar: int) -> int:
        """Song beats at which `bar` (from 1) starts."""
        return (bar - 1) * self.bar_beats

    def beats_of(self, position: "Position") -> int:
        """Song beats of a position; raises InvalidValue when the bar has no such count."""
        if position.beat > self.numerator:
            rule = f"a bar of {self} has the beats 1 to {self.numerator}"
            raise InvalidValue("position", rule)
        return self.bar_start(position.bar) + (position.beat - 1) * self.count_beats

    def position_at(self, beats: int) -> "Position":
        """The bar and count that song beat `beats` lies in."""
        bar, rest = divmod(beats, self.bar_beats)
        return Position(bar=bar + 1, beat=rest // self.count_beats + 1)

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bar and one of its counts, both from 1."""

    bar: BarNumber
    beat: Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMERATOR)] = 1

    def __str__(self) -> str:
        return f"{self.bar}.{self.beat}"


class Loop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bars that repeat: from the start of `start_bar` to the start of `end_bar`."""

    start_bar: BarNumber
    end_bar: BarNumber

    def __post_init__(self) -> None:
        if self.end_bar <= self.start_bar:
            raise InvalidValue("loop", "must end after it starts: `loop 5 9` repeats bars 5 to 8")

    def __str__(self) -> str:
        return f"{self.start_bar}-{self.end_bar}"


def parse_meter(text: str) -> Meter:
    """Read `7/8`."""
    match = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text)
    if match is None:
        raise InvalidValue("meter", f"{text!r} is not a meter such as 4/4 or 7/8")
    return Meter(int(match[1]), int(match[2]))


def parse_position(text: str) -> Position:
    """Read `17` (a bar) or `17.3` (a bar and one of its beats)."""
    match = re.fullmatch(r"(\d{1,9})(?:\.(\d{1,9}))?", text)
    if match is None:
        raise InvalidValue("position", f"{text!r} is not a position such as 17 or 17.3")
    bar, beat = int(match[1]), int(match[2] or 1)
    if not 1 <= bar <= MAX_BAR:
        raise InvalidValue("position", f"bars are numbered 1 to {MAX_BAR}")
    if not 1 <= beat <= MAX_NUMERATOR:
        raise InvalidValue("position", "beats are numbered from 1 up to the meter's")
    return Position(bar, beat)


def song_position(beats: int) -> int:
    """MIDI song position of song beat `beats`: sixteenths, modulo 2**14 (MIDI 1.0, Song Position).

    A song position ends at 16383, the last sixteenth of bar 1024 in 4/4; past it, it wraps to 0.
    """
    return beats // SIXTEENTH_BEATS % 16384
