"""Which bar_sync is due when: each bar line is announced once, in order, far enough ahead. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from midipool.messages import BarPosition, BarSync
from midipool.meter import song_position
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

AHEAD_BARS = 2
AHEAD_US = 500_000


@dataclass(slots=True)
class BarSyncs:
    """Walks along a chain of timelines, bar by bar, from room time `from_us` on."""

    from_us: int = 0
    _last: tuple[Timeline, int] | None = None
    """The last bar_sync's timeline and elapsed beats."""

    def again_from(self, time_us: int) -> None:
        """What was announced for `time_us` or later holds no more."""
        if self._last is None:
            self.from_us = min(self.from_us, time_us)
            return
        timeline, beats = self._last
        if timeline.time_at(beats) >= time_us:
            self._last, self.from_us = None, time_us

    def due(self, chain: TimelineChain, now_us: int) -> Iterator[BarSync]:
        """What must be announced by now."""
        while (step := self._next(chain)) is not None:
            target_us, timeline, beats = step
            if target_us - _ahead_us(timeline, target_us) > now_us:
                return
            self._last = (timeline, beats)
            if target_us >= now_us:
                yield bar_sync(timeline, target_us, beats)

    def next_time(self, chain: TimelineChain) -> int | None:
        """Room time at which the next bar line must be announced; None if none will come."""
        step = self._next(chain)
        return None if step is None else step[0] - _ahead_us(step[1], step[0])

    def _next(self, chain: TimelineChain) -> tuple[int, Timeline, int] | None:
        """The next bar line: its room time, timeline and elapsed beats."""
        for timeline, _, end_us in chain.spans(chain.timelines[0].origin_time_us):
            if not timeline.playing or self._is_over(timeline):
                continue
            beats = self._next_beats(timeline)
            target_us = timeline.time_at(beats)
            if end_us is None or target_us < end_us:
                return target_us, timeline, beats
        return None

    def _is_over(self, timeline: Timeline) -> bool:
        return self._last is not None and timeline.revision < self._last[0].revision

    def _next_beats(self, timeline: Timeline) -> int:
        if self._last is not None and self._last[0] == timeline:
            return self._last[1] + timeline.meter.bar_beats
        begun = max(timeline.beats_at(self.from_us), timeline.origin_beats + 1)
        return timeline.bar_line_from(begun)


def _ahead_us(timeline: Timeline, target_us: int) -> int:
    """How long before a bar line it must be announced: two bars, or 500 ms if that is longer."""
    bars = AHEAD_BARS * timeline.meter.bar_beats
    two_bars_us = target_us - timeline.time_at(timeline.beats_at(target_us) - bars)
    return max(AHEAD_US, two_bars_us)


def bar_sync(timeline: Timeline, target_us: int, elapsed_beats: int) -> BarSync:
    """The announcement of elapsed beat `elapsed_beats`, which is due at `target_us`."""
    beats = timeline.song_beats(elapsed_beats)
    where = timeline.meter.position_at(beats)
    return BarSync(
        target_send_timestamp=target_us,
        bpm=timeline.mbpm_at(target_us) / 1000,
        position=BarPosition(bar=where.bar, beat=where.beat, song_position=song_position(beats)),
        meter=timeline.meter,
        loop=timeline.loop,
        playing=timeline.playing,
        revision=timeline.revision,
        epoch=timeline.epoch,
        timeline=timeline,
    )
