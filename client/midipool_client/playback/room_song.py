"""When the room's song breaks off, and when it comes to a bar. Pure."""

from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.recording.tempo_map import ROUNDED_BEATS


def break_us(chain: TimelineChain, from_us: int) -> int | None:
    """When the song first stops, or jumps out of its bar, after it plays at `from_us`."""
    before: Timeline | None = None
    for timeline, start_us, _ in chain.spans(from_us):
        if not timeline.playing:
            return start_us
        if before is not None and not _goes_on(before, timeline, start_us):
            return start_us
        before = timeline
    return None


def _goes_on(before: Timeline, after: Timeline, at_us: int) -> bool:
    """Whether a bar is as far on by the one as by the other."""
    left = before.song_beats_at(at_us) % before.meter.bar_beats
    right = after.song_beats_at(at_us) % after.meter.bar_beats
    bar = before.meter.bar_beats
    if before.meter != after.meter:
        return min(left, bar - left) <= ROUNDED_BEATS and right <= ROUNDED_BEATS
    return min((left - right) % bar, (right - left) % bar) <= ROUNDED_BEATS


def song_bar_us(chain: TimelineChain, after_us: int, bar: int) -> int | None:
    """When the song next comes to the begin of a bar; None while it is not agreed that it will."""
    for timeline, start_us, end_us in chain.spans(after_us):
        if not timeline.playing:
            continue
        beats = timeline.meter.bar_start(bar)
        first = timeline.next_bar_line(max(start_us, timeline.origin_time_us))
        at = _elapsed_at(timeline, beats, first)
        if at is not None and (end_us is None or timeline.time_at(at) < end_us):
            return timeline.time_at(at)
    return None


def _elapsed_at(timeline: Timeline, song_beats: int, first: int) -> int | None:
    """Elapsed beats, from `first` on, at which the song is at `song_beats`."""
    at = song_beats
    if timeline.loop is not None:
        start = timeline.meter.bar_start(timeline.loop.start_bar)
        end = timeline.meter.bar_start(timeline.loop.end_bar)
        if timeline.origin_beats < end and start <= song_beats < end and at < first:
            length = end - start
            at += -(-(first - at) // length) * length
    return at if at >= first and timeline.song_beats(at) == song_beats else None
