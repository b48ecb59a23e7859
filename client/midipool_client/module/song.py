"""Where a song is at a room time, as a module asks. Beats are quarter notes, from 0. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from midipool.errors import InvalidValue
from midipool.meter import BEAT, Meter
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

LEAST_STEP_BEATS = 1 / 64


class GridLine(NamedTuple):
    """A line of the song's grid."""

    time_us: int
    beats: float
    """Of the song, from 0 at bar 1."""


class Song(NamedTuple):
    """The room's timelines, in a musician's terms."""

    chain: TimelineChain

    def playing_at(self, time_us: int) -> bool:
        """Whether the song runs."""
        timeline = self.chain.at(time_us)
        return timeline.playing and time_us >= timeline.origin_time_us

    def beats_at(self, time_us: int) -> float:
        """Where the song is; while it stands, where it stands."""
        timeline = self.chain.at(time_us)
        return timeline.song_beats_at(max(time_us, timeline.origin_time_us)) / BEAT

    def position_at(self, time_us: int) -> tuple[int, int]:
        """Bar and beat of the bar, both from 1."""
        timeline = self.chain.at(time_us)
        where = timeline.position_at(max(time_us, timeline.origin_time_us))
        return where.bar, where.beat

    def tempo_at(self, time_us: int) -> float:
        """Beats a minute."""
        return self.chain.at(time_us).mbpm_at(time_us) / 1000

    def meter_at(self, time_us: int) -> Meter:
        """The meter."""
        return self.chain.at(time_us).meter

    def grid(self, from_us: int, to_us: int, step_beats: float = 1.0) -> Iterator[GridLine]:
        """The lines of a grid on which the song is, from `from_us` to before `to_us`.

        Nothing while the song stands. Raises InvalidValue.
        """
        if not step_beats >= LEAST_STEP_BEATS:
            raise InvalidValue("step_beats", f"must be at least {LEAST_STEP_BEATS:g}")
        for timeline, start_us, end_us in self.chain.spans(from_us):
            if start_us >= to_us:
                return
            until_us = to_us if end_us is None else min(to_us, end_us)
            if timeline.playing:
                yield from _lines(timeline, start_us, until_us, step_beats)

    def time_at(self, beats: float, from_us: int) -> int | None:
        """When the song next comes to `beats`, from `from_us` on; None: not by what is agreed."""
        wanted = round(beats * BEAT)
        for timeline, start_us, end_us in self.chain.spans(from_us):
            if not timeline.playing:
                continue
            start_us = max(start_us, timeline.origin_time_us)
            elapsed = _elapsed_at(timeline, wanted, timeline.beats_at(start_us))
            if elapsed is None:
                continue
            time_us = timeline.time_at(elapsed)
            if end_us is None or time_us < end_us:
                return time_us
        return None


def _lines(timeline: Timeline, start_us: int, until_us: int, step: float) -> Iterator[GridLine]:
    start_us = max(start_us, timeline.origin_time_us)
    # One back: the line itself may lie within the microsecond.
    number = int(timeline.beats_at(start_us) / (step * BEAT))
    while True:
        beats = round(number * step * BEAT)
        number += 1
        if beats < timeline.origin_beats:
            continue
        time_us = timeline.time_at(beats)
        if time_us >= until_us:
            return
        if time_us >= start_us:
            yield GridLine(time_us, timeline.song_beats(beats) / BEAT)


def _elapsed_at(timeline: Timeline, song_beats: int, first: int) -> int | None:
    """Elapsed beats, from `first` on, at which the song is at `song_beats`."""
    if song_beats >= first:
        return song_beats if timeline.song_beats(song_beats) == song_beats else None
    if timeline.loop is None:
        return None
    start = timeline.meter.bar_start(timeline.loop.start_bar)
    length = timeline.meter.bar_start(timeline.loop.end_bar) - start
    if song_beats < start:
        return None
    again = song_beats + -(-(first - song_beats) // length) * length
    return again if timeline.song_beats(again) == song_beats else None
