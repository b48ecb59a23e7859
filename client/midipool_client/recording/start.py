"""Where a recording begins, and which timelines it is of. Pure."""

from midipool.timeline_chain import TimelineChain

# The engine is told before the first frame is due.
LEAD_US = 100_000


def first_bar_line_us(
    chain: TimelineChain, now_us: int, chosen_us: int | None = None
) -> int | None:
    """The next bar line of a song that plays; None while it is not agreed that one will.

    One that was chosen before stays the first if it still is a bar line.
    """
    after_us = now_us + LEAD_US
    if chosen_us is not None:
        after_us = max(min(after_us, chosen_us), now_us)
    for timeline, start_us, end_us in chain.spans(after_us):
        if not timeline.playing:
            continue
        line_us = timeline.time_at(timeline.next_bar_line(max(start_us, timeline.origin_time_us)))
        if end_us is None or line_us < end_us:
            return line_us
    return None


def with_past(past: TimelineChain, chain: TimelineChain) -> TimelineChain:
    """A room's chain, which forgets what is over, with what was in force before it."""
    first_us = chain.timelines[0].origin_time_us
    kept = [timeline for timeline in past.timelines if timeline.origin_time_us < first_us]
    return TimelineChain((*kept, *chain.timelines))
