"""`bar` mode: everybody is heard whole bars later, on the same place of the room's grid.

What was played in a bar is heard in the bar that comes so many bars after it, beat on beat. While
both have the same tempo that is a constant delay. When the tempo differs by no more than 0.3 % (5
cents, which nobody hears) the sound is resampled to follow the grid; else it is played as fast as
it was from the next bar line on, faded over from what came before, and ends with its bar: what is
too long is cut, what is too short is followed by silence. A beat that either of the two bars does
not have, after a new meter or a jump into a bar, is silent.

While the song stands everybody is heard at once. A stop leaves out the bars that were to come, and
after a start there is silence for as many bars as one hears later.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from midipool.audio.played_bars import PlayedBar, played_bars
from midipool.errors import InvalidValue
from midipool.tempo import steady_time_to
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

MAX_BARS = 16
MOST_DELAY_US = 60_000_000
"""Sound is kept so long; bars that take longer are silent."""
MOST_SLOPE_PPM = 3_000
# Times are rounded to whole µs on both sides.
ROUNDING_US = 4
MAX_TIMELINES = 512

PieceKind = Literal["bars", "silence", "at_once"]


@dataclass(frozen=True, slots=True)
class Piece:
    """What is heard from `play_us` to `play_end_us`: what was captured in another stretch of time.

    Times are room µs. The capture time runs evenly from one end to the other.
    """

    kind: PieceKind
    play_us: int
    play_end_us: int
    capture_us: int = 0
    """With `bars` and only then."""
    capture_end_us: int = 0
    aligned: bool = True
    """False where the tempi differ so much that the sound leaves the grid until the next bar."""

    def capture_at(self, play_us: int) -> int:
        """Capture time of what is heard at a time within the piece."""
        length_us = self.play_end_us - self.play_us
        part = (play_us - self.play_us) * (self.capture_end_us - self.capture_us)
        return self.capture_us + (2 * part + length_us) // (2 * length_us)

    def continues(self, before: "Piece") -> bool:
        """Whether it goes on from `before`, so that there is nothing to fade."""
        if self.kind != before.kind:
            return False
        return self.kind != "bars" or abs(self.capture_us - before.capture_end_us) <= ROUNDING_US

    def within(self, from_us: int, to_us: int) -> "Piece":
        """The part of it between two times."""
        start_us, end_us = max(self.play_us, from_us), min(self.play_end_us, to_us)
        if self.kind != "bars":
            return Piece(self.kind, start_us, end_us)
        captured = self.capture_at(start_us), self.capture_at(end_us)
        return Piece("bars", start_us, end_us, *captured, self.aligned)


class BarDelay:
    """Knows the room's timelines, those that are over too, for as long as they are heard."""

    def __init__(self, bars: int, chain: TimelineChain) -> None:
        self.bars = check_bars(bars)
        self._chain = chain

    def follow(self, chain: TimelineChain, now_us: int) -> None:
        """The room's timelines as they are now; what was in force before is remembered."""
        begin_us = chain.timelines[0].origin_time_us
        over = [t for t in self._chain.timelines if t.origin_time_us < begin_us]
        timelines = (*over, *chain.timelines)[-MAX_TIMELINES:]
        self._chain = TimelineChain(timelines).since(now_us - 2 * MOST_DELAY_US)

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        self._chain = self._chain.moved_by(by_us)

    def play_at(self, capture_us: int) -> int | None:
        """When the song gets to the same place of the bar that it is heard in.

        None when nothing is heard then: the song stands, or stops or jumps before. By all that is
        agreed upon.
        """
        window_us = self._window_us()
        bars = played_bars(self._chain, capture_us - window_us, capture_us + window_us)
        for captured, played in zip(bars, bars[self.bars :], strict=False):
            if captured.start.time_us <= capture_us < captured.end.time_us:
                beats = captured.beats_at(capture_us)
                heard = played.start.beats <= beats < played.end.beats
                return played.time_at(beats) if heard and captured.run == played.run else None
        return None

    def pieces(self, from_us: int, to_us: int) -> list[Piece]:
        """What is heard from `from_us` to `to_us`, without gaps, in order."""
        bars = played_bars(self._chain, from_us - self._window_us(), to_us)
        found: list[Piece] = []
        for number, bar in enumerate(bars):
            origin = bars[number - self.bars] if number >= self.bars else None
            same = origin is not None and origin.run == bar.run
            heard = _heard_in(bar, origin) if origin is not None and same else []
            found += _filled(heard, bar.start.time_us, bar.end.time_us, "silence")
        return _filled(found, from_us, to_us, "at_once")

    @property
    def longest_us(self) -> int:
        """The most that somebody is heard later, by the timelines that are known."""
        return min(self.bars * self._slowest_us(), MOST_DELAY_US)

    def complaint(self, now_us: int, need_us: int) -> str | None:
        """What is wrong with so many bars at a time, in words; None if all is well."""
        return complaint(self._chain.at(now_us), self.bars, need_us)

    def _window_us(self) -> int:
        """So long before a time begins what is heard then, at most."""
        return min((self.bars + 2) * self._slowest_us(), 2 * MOST_DELAY_US)

    def _slowest_us(self) -> int:
        return max(_slowest_bar_us(t) for t in self._chain.timelines)


def check_bars(bars: int) -> int:
    """The number, if it is one of bars; raises InvalidValue."""
    if not 1 <= bars <= MAX_BARS:
        raise InvalidValue("bars", f"must be 1 to {MAX_BARS}, not {bars}")
    return bars


def complaint(timeline: Timeline, bars: int, need_us: int) -> str | None:
    """What is wrong with so many bars, in words; None if all is well.

    `need_us` is how long sound needs from one to the other, with repair.
    """
    slowest_us, fastest_us = _slowest_bar_us(timeline), _bar_us(timeline, _tempi(timeline)[1])
    what, takes = ("1 bar", "takes") if bars == 1 else (f"{bars} bars", "take")
    if bars * slowest_us > MOST_DELAY_US:
        fewer = max(MOST_DELAY_US // slowest_us, 0)
        instead = f"choose {fewer} or fewer" if fewer else "choose another profile, or play faster"
        return f"{what} {takes} {bars * slowest_us / 1e6:.1f} s, and 60 s are kept: {instead}"
    if bars * fastest_us < need_us:
        more = -(-need_us // fastest_us)
        instead = f"choose {more}" if more <= MAX_BARS else "choose another profile"
        needs = f"sound needs {need_us / 1e6:.2f} s"
        return f"{what} {takes} {bars * fastest_us / 1e6:.2f} s, and {needs}: {instead}"
    return None


def _heard_in(played: PlayedBar, captured: PlayedBar) -> list[Piece]:
    """What is heard in one bar of another: in step, and from where that cannot be, as it was."""
    first = max(played.start.beats, captured.start.beats)
    last = min(played.end.beats, captured.end.beats)
    steps = {knot.beats for bar in (played, captured) for knot in bar.knots}
    beats = sorted({first, last, *(b for b in steps if first < b < last)})
    pieces: list[Piece] = []
    for begin, end in pairwise(beats):
        play = played.time_at(begin), played.time_at(end)
        capture = captured.time_at(begin), captured.time_at(end)
        if play[1] - capture[0] > MOST_DELAY_US:
            break
        if not _close(play[1] - play[0], capture[1] - capture[0]):
            left_us = min(played.end.time_us - play[0], captured.end.time_us - capture[0])
            ends = play[0] + left_us, capture[0] + left_us
            pieces.append(Piece("bars", play[0], ends[0], capture[0], ends[1], aligned=False))
            break
        pieces.append(Piece("bars", *play, *capture))
    return [piece for piece in pieces if piece.play_end_us > piece.play_us]


def _close(play_us: int, capture_us: int) -> bool:
    off_us = abs(capture_us - play_us)
    return off_us <= ROUNDING_US or off_us * 1_000_000 <= play_us * MOST_SLOPE_PPM


def _filled(pieces: list[Piece], from_us: int, to_us: int, gaps: PieceKind) -> list[Piece]:
    """The pieces between two times, and others in the gaps between them."""
    filled: list[Piece] = []
    at_us = from_us
    for piece in pieces:
        if piece.play_end_us <= at_us or piece.play_us >= to_us:
            continue
        if piece.play_us - at_us > ROUNDING_US:
            filled.append(Piece(gaps, at_us, piece.play_us))
            at_us = piece.play_us
        part = piece.within(max(at_us, piece.play_us), to_us)
        # What is between two pieces by rounding only is no gap.
        filled.append(replace(part, play_us=at_us))
        at_us = part.play_end_us
    if at_us < to_us:
        if filled and to_us - at_us <= ROUNDING_US:
            filled[-1] = replace(filled[-1], play_end_us=to_us)
        else:
            filled.append(Piece(gaps, at_us, to_us))
    return filled


def _tempi(timeline: Timeline) -> tuple[int, int]:
    tempi = timeline.mbpm, timeline.ramp.to_mbpm if timeline.ramp else timeline.mbpm
    return min(tempi), max(tempi)


def _bar_us(timeline: Timeline, mbpm: int) -> int:
    return steady_time_to(mbpm, timeline.meter.bar_beats)


def _slowest_bar_us(timeline: Timeline) -> int:
    return _bar_us(timeline, _tempi(timeline)[0])
