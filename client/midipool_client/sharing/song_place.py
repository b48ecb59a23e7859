"""Places in the room's song: the next line of a grid, and the same place some bars later. Pure."""

from typing import NamedTuple

from midipool.meter import WHOLE_NOTE_BEATS
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain


class Place(NamedTuple):
    """An elapsed beat of a timeline; newer timelines may take it to another room time."""

    timeline: Timeline
    beats: int

    @property
    def time_us(self) -> int:
        """Room time at which the song gets there, if nothing changes."""
        return self.timeline.time_at(self.beats)

    def moved_by(self, shift_us: int) -> "Place":
        """The same place on a room clock that shows `shift_us` more."""
        return Place(self.timeline.moved_by(shift_us), self.beats)


class Due(NamedTuple):
    """When a place comes, by all that is agreed upon."""

    time_us: int
    reached: bool
    """False when the song stops before it gets there, which is at `time_us`."""
    kept: Place
    """The place on the timeline that is in force now."""


def next_line_us(chain: TimelineChain, time_us: int, lines: int) -> int:
    """Room time of the first grid line at or after `time_us`; `lines` to a whole note.

    Each bar's grid begins on its bar line. While the song stands there is no grid, and the answer
    is `time_us`.
    """
    for timeline, start_us, end_us in chain.spans(time_us):
        if not timeline.playing:
            return start_us
        line_us = _line_us(timeline, max(start_us, time_us), lines)
        if end_us is None or line_us < end_us:
            return line_us
    raise AssertionError("the last span has no end")


def _line_us(timeline: Timeline, time_us: int, lines: int) -> int:
    # The first beat that is not reached a µs before, so that a line is found at its own time.
    beats = timeline.beats_at(time_us - 1) + 1
    bar_beats = timeline.meter.bar_beats
    bar_line = beats // bar_beats * bar_beats
    # The first line that, rounded up to whole micro-beats, is not before that.
    number = (beats - bar_line - 1) * lines // WHOLE_NOTE_BEATS + 1
    line = bar_line + min(-(-number * WHOLE_NOTE_BEATS // lines), bar_beats)
    return timeline.time_at(line)


def bars_later(chain: TimelineChain, time_us: int, bars: int) -> Place | None:
    """Where the song is at `time_us`, `bars` further on; None while it stands."""
    timeline = chain.at(time_us)
    if not timeline.playing:
        return None
    return Place(timeline, timeline.beats_at(time_us) + bars * timeline.meter.bar_beats)


def due(place: Place, chain: TimelineChain, now_us: int) -> Due:
    """When a place comes that was chosen on an earlier state of the room.

    Beats and bars that are still to be played are played on in another tempo or meter, and from
    where the song is moved to.
    """
    kept = place
    for timeline in chain.timelines:
        origin_us = timeline.origin_time_us
        if origin_us <= place.timeline.origin_time_us:
            continue
        if place.time_us < origin_us:
            break
        if not timeline.playing:
            return Due(origin_us, False, kept)
        place = _carried(place, timeline)
        if origin_us <= now_us:
            kept = place
    return Due(place.time_us, True, kept)


def _carried(place: Place, timeline: Timeline) -> Place:
    """A place that the song had not got to when `timeline` took over."""
    left_beats = place.beats - place.timeline.beats_at(timeline.origin_time_us)
    bars, rest_beats = divmod(left_beats, place.timeline.meter.bar_beats)
    left_beats = bars * timeline.meter.bar_beats + rest_beats
    return Place(timeline, timeline.origin_beats + left_beats)
