"""A recording begins on a bar line of a song that plays."""

from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.recording.start import LEAD_US, first_bar_line_us, with_past

STANDS = Timeline()
PLAYS = Timeline(origin_time_us=10_000_000, playing=True)  # 120 bpm: a bar lasts 2 s


def chain(*timelines: Timeline) -> TimelineChain:
    return TimelineChain(timelines)


def test_waits_while_the_song_stands() -> None:
    assert first_bar_line_us(chain(STANDS), 5_000_000) is None


def test_begins_where_the_song_will() -> None:
    assert first_bar_line_us(chain(STANDS, PLAYS), 5_000_000) == 10_000_000


def test_begins_on_the_next_bar_line_that_the_engine_can_make() -> None:
    assert first_bar_line_us(chain(PLAYS), 10_500_000) == 12_000_000
    assert first_bar_line_us(chain(PLAYS), 12_000_000 - LEAD_US // 2) == 14_000_000


def test_the_chosen_bar_line_stays_until_it_comes() -> None:
    for now_us in range(10_000_000, 12_000_000, 7_000):
        assert first_bar_line_us(chain(PLAYS), now_us, 12_000_000) == 12_000_000


def test_a_song_that_stops_before_the_bar_line_is_waited_for() -> None:
    stops = Timeline(origin_time_us=11_500_000, origin_beats=3_000_000)
    assert first_bar_line_us(chain(PLAYS, stops), 10_500_000, 12_000_000) is None


def test_what_is_over_is_remembered() -> None:
    later = Timeline(origin_time_us=20_000_000, origin_beats=20_000_000, playing=True)
    both = with_past(chain(STANDS, PLAYS), chain(PLAYS, later))
    assert both.timelines == (STANDS, PLAYS, later)
