"""What of a recording is played when, as client and engine say it. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec


class TakePiece(msgspec.Struct, frozen=True, array_like=True):
    """From one room time to another the recording is heard from `take_us` on; else nothing is."""

    play_us: int
    play_end_us: int
    take_us: int


class Span(NamedTuple):
    """A piece in frames, of the room and of the recording."""

    begin: int
    end: int
    take: int


def spans_of(pieces: Iterable[TakePiece], rate: int) -> list[Span]:
    """Pieces in frames; where one goes on from the other no frame is lost or doubled."""
    return [
        Span(
            frame_of(piece.play_us, rate),
            frame_of(piece.play_end_us, rate),
            frame_of(piece.take_us, rate),
        )
        for piece in pieces
    ]


def frame_of(time_us: int, rate: int) -> int:
    """The frame at a time, counted from time 0."""
    return (time_us * rate + 500_000) // 1_000_000


def stretch(spans: Sequence[Span], at: int, most: int) -> tuple[int, int | None]:
    """From frame `at` on: so many frames, at most `most`, are of this place, or of none."""
    for span in spans:
        if at < span.begin:
            return min(span.begin - at, most), None
        if at < span.end:
            return min(span.end - at, most), span.take + at - span.begin
    return most, None
