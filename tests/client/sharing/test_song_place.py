"""Grid lines, and places some bars later, on the room's timelines."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.messages import Locate, SetMeter, SetTempo, Start, Stop
from midipool.meter import BEAT, Meter, Position
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.sharing.options import GRIDS
from midipool_client.sharing.song_place import bars_later, due, next_line_us
from tests.midipool.strategies import conduct, short_meters, timelines

SECOND = 1_000_000
PLAYING = TimelineChain((Timeline(playing=True),))
STOPPED = TimelineChain((Timeline(),))
BAR_US = 2 * SECOND


class TestGrid:
    @pytest.mark.parametrize(
        ("grid", "time_us", "line_us"),
        [
            ("1/4", 1, 500_000),
            ("1/4", 500_000, 500_000),
            ("1/16", 500_001, 625_000),
            ("1/8T", 1, 166_667),
            ("1/8T", 166_668, 333_334),
            ("1/1", 1, 2_000_000),
        ],
    )
    def test_the_next_line_is_at_or_after_the_time(
        self, grid: str, time_us: int, line_us: int
    ) -> None:
        assert next_line_us(PLAYING, time_us, GRIDS[grid]) == line_us

    def test_while_the_song_stands_it_is_at_once(self) -> None:
        assert next_line_us(STOPPED, 12_345, 16) == 12_345

    def test_each_bar_begins_its_grid_anew(self) -> None:
        chain = TimelineChain((Timeline(playing=True, meter=Meter(7, 8)),))
        assert next_line_us(chain, 1_600_000, GRIDS["1/2"]) == 1_750_000

    def test_a_start_that_comes_first_brings_the_line(self) -> None:
        chain = conduct(PLAYING, Start(id=1), 100_000)
        assert next_line_us(chain, 1, 4) == 100_000

    def test_a_stop_that_comes_first_is_as_good_as_a_line(self) -> None:
        assert next_line_us(conduct(PLAYING, Stop(id=1), 100_000), 1, 4) == 100_000

    @given(timelines(), st.integers(0, 20 * SECOND), st.sampled_from([*GRIDS.values()]))
    @settings(deadline=None)
    def test_no_line_is_skipped(self, timeline: Timeline, after_us: int, lines: int) -> None:
        time_us = timeline.origin_time_us + after_us
        line_us = next_line_us(TimelineChain((timeline,)), time_us, lines)
        assert line_us >= time_us
        passed = timeline.beats_at(line_us) - timeline.beats_at(time_us)
        # A micro-beat for the rounding of each, and what a µs is in micro-beats at most.
        assert passed <= -(-4 * BEAT // lines) + 40
        again_us = next_line_us(TimelineChain((timeline,)), line_us, lines)
        assert again_us == line_us


class TestBarsLater:
    def test_it_is_the_same_place_some_bars_on(self) -> None:
        place = bars_later(PLAYING, 700_000, 2)
        assert place is not None
        assert place.time_us == 700_000 + 2 * BAR_US

    def test_while_the_song_stands_there_is_none(self) -> None:
        assert bars_later(STOPPED, 0, 1) is None

    def test_a_change_of_tempo_on_the_way_is_respected(self) -> None:
        place = bars_later(PLAYING, 500_000, 1)
        assert place is not None
        faster = conduct(PLAYING, SetTempo(id=1, bpm=240.0), 1_500_000)
        # Two beats are played at 120 BPM, and two at 240.
        assert due(place, faster, 0)[:2] == (1_500_000 + 500_000, True)

    def test_a_stop_on_the_way_comes_before_it(self) -> None:
        place = bars_later(PLAYING, 500_000, 1)
        assert place is not None
        assert due(place, conduct(PLAYING, Stop(id=1), 1_000_000), 0)[:2] == (1_000_000, False)

    def test_a_locate_on_the_way_lets_as_many_beats_be_played_as_without(self) -> None:
        place = bars_later(PLAYING, 500_000, 1)
        assert place is not None
        moved = conduct(PLAYING, Locate(id=1, position=Position(17)), 1_000_000)
        assert due(place, moved, 0)[:2] == (2_500_000, True)

    def test_in_another_meter_it_is_the_same_beat_of_the_bar(self) -> None:
        place = bars_later(PLAYING, 500_000, 2)
        assert place is not None
        waltz = conduct(PLAYING, SetMeter(id=1, meter=Meter(3, 4)), 1_000_000)
        # A bar of 4/4 is over at 2 s, one of 3/4 at 3.5 s, and then comes its second beat.
        assert due(place, waltz, 0)[:2] == (4_000_000, True)

    @given(timelines(short_meters), st.integers(0, 5 * SECOND), st.integers(1, 4))
    @settings(deadline=None)
    def test_the_song_plays_exactly_so_many_bars_until_then(
        self, timeline: Timeline, after_us: int, bars: int
    ) -> None:
        time_us = timeline.origin_time_us + after_us
        place = bars_later(TimelineChain((timeline,)), time_us, bars)
        assert place is not None
        passed = timeline.beats_at(place.time_us) - timeline.beats_at(time_us)
        assert 0 <= passed - bars * timeline.meter.bar_beats <= 40

    @given(timelines(short_meters), st.integers(0, SECOND), st.integers(20_000, 999_000))
    @settings(deadline=None)
    def test_a_chain_that_forgets_what_is_over_gives_the_same_time(
        self, timeline: Timeline, after_us: int, mbpm: int
    ) -> None:
        timeline = msgspec.structs.replace(timeline, loop=None)
        chain = TimelineChain((timeline,))
        time_us = timeline.origin_time_us + after_us
        place = bars_later(chain, time_us, 3)
        assert place is not None
        for _ in range(2):
            middle_us = (chain.last.origin_time_us + due(place, chain, time_us).time_us) // 2
            mbpm = 20_000 + (mbpm * 7) % 900_000
            chain = conduct(chain, SetTempo(id=1, bpm=mbpm / 1000), middle_us)
        now_us = chain.last.origin_time_us
        whole = due(place, chain, now_us)
        assert due(whole.kept, chain.since(now_us), now_us)[:2] == whole[:2]
