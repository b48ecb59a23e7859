"""What is heard when in bar mode, for the engine: bars ahead of time, told again in time. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from midipool.audio.bars import BarDelay, Piece
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.engine_messages import Pieces

AHEAD_US = 5_000_000
AGAIN_US = 3_000_000
"""So much is ahead of the engine at least, should the client be late."""
BEHIND_US = 500_000
# What is kept beyond the bars: a bar is read while it is written.
MORE_US = 2_500_000
MOST_PIECES = 1024
SLIVER_US = 10


class RoomBars:
    """The room's bars as one listener hears them. Times are room µs."""

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self.delay: BarDelay | None = None
        """None until the room's timelines are known."""
        self._told_until_us: int | None = None

    def follow(self, chain: TimelineChain, now_us: int) -> None:
        """The room's timelines as they are now."""
        if self.delay is None:
            self.delay = BarDelay(self._bars, chain)
        self.delay.follow(chain, now_us)
        self._told_until_us = None

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        if self.delay is not None:
            self.delay.shift(by_us)
        self._told_until_us = None

    def set_bars(self, bars: int) -> None:
        """Hear so many bars later from now on."""
        self._bars = bars
        if self.delay is not None:
            self.delay.bars = bars
        self._told_until_us = None

    def forget_told(self) -> None:
        """Another engine knows nothing."""
        self._told_until_us = None

    @property
    def keep_us(self) -> int:
        """So much of what was heard is to be kept for them."""
        return 0 if self.delay is None else self.delay.longest_us + MORE_US

    def pieces(self, now_us: int) -> Pieces | None:
        """What to tell the engine; None while what it was told is good."""
        until_us = self._told_until_us
        if self.delay is None or (until_us is not None and until_us - now_us > AGAIN_US):
            return None
        self._told_until_us = now_us + AHEAD_US
        pieces = self.delay.pieces(now_us - BEHIND_US, now_us + AHEAD_US)
        return Pieces(without_slivers(pieces)[:MOST_PIECES])


def without_slivers(pieces: Iterable[Piece]) -> list[Piece]:
    """The same without what is there by rounding only; the piece before goes on instead."""
    kept: list[Piece] = []
    for piece in pieces:
        if kept and _is_sliver(piece):
            kept[-1] = replace(kept[-1], play_end_us=piece.play_end_us)
        elif not _is_sliver(piece):
            begin_us = kept[-1].play_end_us if kept else piece.play_us
            kept.append(replace(piece, play_us=begin_us))
    return kept


def _is_sliver(piece: Piece) -> bool:
    captured_us = piece.capture_end_us - piece.capture_us
    short = piece.play_end_us - piece.play_us <= SLIVER_US
    return short or (piece.kind == "bars" and captured_us <= SLIVER_US)
