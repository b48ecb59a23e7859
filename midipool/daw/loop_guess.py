"""A loop, guessed from where a playing song jumps back: no DAW says it in MIDI's own words."""

from midipool.meter import MAX_BAR, SIXTEENTH_BEATS, Loop, Meter

# A loop that is played on behind its end by more than this is over.
PAST_END_BEATS = 1_000_000


class LoopGuess:
    """States a loop when a song has jumped from the same end to the same start twice running."""

    def __init__(self) -> None:
        self.loop: Loop | None = None
        """The loop that is stated; None while there is none."""
        self._meter = Meter()
        self._seen: Loop | None = None

    @property
    def went_round(self) -> bool:
        """Whether the last jump was the stated loop's."""
        return self.loop is not None and self._seen == self.loop

    def jumped(self, from_beats: int, to_beats: int, meter: Meter) -> bool:
        """The playing song got from one song beat to another; True when `loop` is now another."""
        found = _loop_of(from_beats, to_beats, meter)
        again = found is not None and found == self._seen
        self._meter, self._seen = meter, found
        # Another jump alone does not end the loop that is stated: the song may come to it again.
        return self._state(found) if again else self.played_to(to_beats)

    def played_to(self, song_beats: int) -> bool:
        """The song has played on to a beat; True when the loop is over with that."""
        loop = self.loop
        if loop is None or song_beats <= self._meter.bar_start(loop.end_bar) + PAST_END_BEATS:
            return False
        return self.forget()

    def forget(self) -> bool:
        """The song was started, stopped or moved otherwise; True when a loop is over with that."""
        self._seen = None
        return self._state(None)

    def _state(self, loop: Loop | None) -> bool:
        changed = loop != self.loop
        self.loop = loop
        return changed


def _loop_of(from_beats: int, to_beats: int, meter: Meter) -> Loop | None:
    """The bars between two beats, if both are bar lines to within a sixteenth."""
    end, start = _bar_at(from_beats, meter), _bar_at(to_beats, meter)
    if end is None or start is None or not 1 <= start < end <= MAX_BAR:
        return None
    return Loop(start, end)


def _bar_at(beats: int, meter: Meter) -> int | None:
    line = round(beats / meter.bar_beats)
    near = abs(beats - line * meter.bar_beats) <= SIXTEENTH_BEATS
    return line + 1 if near else None
