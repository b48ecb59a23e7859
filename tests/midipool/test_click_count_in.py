"""The click before the song begins."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from midipool.click import ROUNDING_US, Click, ClickSettings
from midipool.meter import BEAT, Meter
from midipool.tempo import steady_beats_after, steady_time_to
from midipool.timeline import Ramp, Timeline

from .drum_machine import (
    SECOND,
    STEADY,
    STOPPED,
    DrumMachine,
    Hit,
    Member,
    any_steps,
    chain_of,
    expand,
    playing,
)
from .strategies import mbpms, timelines

quick = settings(max_examples=80, deadline=None)


class TestCountIn:
    def start(self, **changes: object) -> Timeline:
        return playing(**{"origin_time_us": 10 * SECOND, "count_in_bars": 2, **changes})

    def test_two_bars_click_before_the_start_with_all_accents(self) -> None:
        hits = expand(STOPPED, self.start(), until_us=10 * SECOND)
        assert hits == [Hit(6 * SECOND + n * SECOND // 2, accent=n % 4 == 0) for n in range(8)]

    def test_the_song_goes_on_from_it_in_time(self) -> None:
        hits = expand(STOPPED, self.start(), until_us=13 * SECOND)
        assert hits == [Hit(6 * SECOND + n * SECOND // 2, accent=n % 4 == 0) for n in range(14)]

    def test_it_may_be_all_that_clicks(self) -> None:
        click = Click(ClickSettings(only_count_in=True))
        hits = expand(STOPPED, self.start(), until_us=20 * SECOND, click=click)
        assert hits == expand(STOPPED, self.start(), until_us=10 * SECOND)

    def test_it_has_the_tempo_of_the_start_even_if_that_is_a_ramps(self) -> None:
        ramp = self.start(mbpm=60_000, ramp=Ramp(240_000, 4 * BEAT), count_in_bars=1)
        hits = expand(STOPPED, ramp, until_us=10 * SECOND)
        assert [hit.time_us for hit in hits] == [n * SECOND for n in (6, 7, 8, 9)]

    def test_it_has_the_meter_of_the_bar(self) -> None:
        hits = expand(STOPPED, self.start(meter=Meter(3, 8)), until_us=10 * SECOND)
        assert [hit.accent for hit in hits] == [True, False, False] * 2

    def test_in_a_compound_meter_it_clicks_as_the_song_does(self) -> None:
        click = Click(ClickSettings(compound=True))
        start = self.start(meter=Meter(6, 8))
        hits = expand(STOPPED, start, until_us=10 * SECOND, click=click)
        assert [hit.time_us for hit in hits] == [SECOND * n // 4 for n in (28, 31, 34, 37)]

    def test_a_song_continued_in_the_middle_of_a_bar_keeps_its_accents(self) -> None:
        start = self.start(origin_beats=18 * BEAT, count_in_bars=1)
        hits = expand(STOPPED, start, until_us=11 * SECOND)
        assert [hit.accent for hit in hits] == [False, False, True, False, False, False]

    def test_a_song_continued_between_two_counts_keeps_its_grid(self) -> None:
        start = self.start(origin_beats=16 * BEAT + BEAT // 2, count_in_bars=1)
        hits = expand(STOPPED, start, until_us=11 * SECOND)
        first_us = 10 * SECOND - 7 * SECOND // 4
        assert hits == [Hit(first_us + n * SECOND // 2, accent=n == 3) for n in range(6)]

    def test_who_hears_of_it_late_hears_what_lies_ahead(self) -> None:
        hits = expand(STOPPED, self.start(), from_us=8 * SECOND + 100, until_us=10 * SECOND)
        assert hits == expand(STOPPED, self.start(), until_us=10 * SECOND)[5:]

    def test_a_room_of_which_only_the_start_is_known_counts_in_too(self) -> None:
        whole = expand(STOPPED, self.start(), until_us=12 * SECOND)
        assert expand(self.start(), until_us=12 * SECOND) == whole

    def test_a_tempo_set_while_the_song_stands_does_not_disturb_it(self) -> None:
        faster = replace(STOPPED, origin_time_us=7 * SECOND, mbpm=200_000)
        whole = expand(STOPPED, self.start(), until_us=12 * SECOND)
        assert expand(STOPPED, faster, self.start(), until_us=12 * SECOND) == whole

    def test_the_first_tempo_known_is_no_news(self) -> None:
        first = replace(STOPPED, origin_time_us=7 * SECOND, mbpm=200_000)
        whole = expand(STOPPED, self.start(), until_us=12 * SECOND)
        assert expand(first, self.start(), until_us=12 * SECOND) == whole
        step_by_step = Click()
        step_by_step.follow(chain_of(first, self.start()), 0)
        events = [*step_by_step.extend(13 * SECOND // 2), *step_by_step.extend(12 * SECOND)]
        assert DrumMachine().take(events).hits == whole

    def test_a_tempo_that_comes_in_the_middle_holds_from_there_on(self) -> None:
        # Known 300 ms ahead: the click in between has still the old tempo's time.
        member = Member(itertools.cycle([SECOND]))
        member.follow(chain_of(STOPPED, self.start()), 0)
        slower = replace(STOPPED, origin_time_us=7_600_000, mbpm=60_000, revision=2)
        start = self.start(origin_time_us=12_400_000, mbpm=60_000, revision=3)
        member.follow(chain_of(STOPPED, slower, start), 7_300_000)
        old, new = (
            [6_000_000, 6_500_000, 7_000_000, 7_500_000],
            range(8_400_000, 12_000_000, SECOND),
        )
        assert [hit.time_us for hit in member.heard(12_400_000).hits] == [*old, *new]

    @quick
    @given(mbpms, mbpms, st.integers(1, 7), st.integers(-60, 60), st.integers(0, 400_000))
    def test_and_neither_loses_nor_doubles_a_click(
        self, before: int, after: int, beat: int, off_us: int, lead_us: int
    ) -> None:
        room = replace(STOPPED, mbpm=before)
        origin_us = steady_time_to(before, 8 * BEAT)
        at_us = steady_time_to(before, beat * BEAT) + off_us
        left_beats = steady_beats_after(before, origin_us - at_us)
        member = Member(itertools.cycle([SECOND]))
        member.follow(chain_of(room, self.start(origin_time_us=origin_us, mbpm=before)), 0)
        end_us = at_us + steady_time_to(after, left_beats)
        changed = replace(room, origin_time_us=at_us, mbpm=after)
        start = self.start(origin_time_us=end_us, mbpm=after)
        member.follow(chain_of(room, changed, start), max(at_us - lead_us, 1))
        hits = member.heard(end_us + 1).hits
        assert [hit.accent for hit in hits] == [True, False, False, False] * 2 + [True]

    def test_while_another_song_still_plays_that_one_clicks(self) -> None:
        stop = Timeline(origin_time_us=8 * SECOND, epoch=2)
        hits = expand(STEADY, stop, self.start(epoch=3), until_us=10 * SECOND)
        song = expand(STEADY, until_us=8 * SECOND)
        count_in = expand(STOPPED, self.start(), until_us=10 * SECOND)
        assert hits == song + [hit for hit in count_in if hit.time_us >= 8 * SECOND]

    def test_one_that_was_called_off_ends_at_once(self) -> None:
        member = Member(itertools.cycle([SECOND]))
        member.follow(chain_of(STOPPED, self.start()), 0)
        stop = replace(STOPPED, origin_time_us=7 * SECOND + 100_000, epoch=2, revision=2)
        member.follow(chain_of(STOPPED, stop), 7 * SECOND + 10_000)
        machine = member.heard(20 * SECOND)
        assert [hit.time_us for hit in machine.hits] == [6 * SECOND, 6_500_000, 7 * SECOND]
        assert machine.sounding == {}

    @given(timelines(), st.integers(0, 4), any_steps)
    @quick
    def test_it_is_the_song_played_back_from_its_origin(
        self, timeline: Timeline, bars: int, steps_us: list[int]
    ) -> None:
        bar = timeline.meter.bar_beats
        start = replace(timeline, count_in_bars=bars)
        origin_us = timeline.origin_time_us
        begin_us = max(timeline.time_at(timeline.origin_beats - bars * bar), origin_us - 3 * SECOND)
        member = Member(itertools.cycle(steps_us), planned_us=begin_us)
        member.follow(chain_of(start), begin_us)
        hits = [hit for hit in member.heard(origin_us).hits if hit.time_us < origin_us]
        count = timeline.meter.count_beats
        expected = []
        for number in itertools.count(-(-timeline.origin_beats // count) - 1, -1):
            time_us = timeline.time_at(number * count)
            if number * count < timeline.origin_beats - bars * bar:
                break
            if time_us < begin_us - ROUNDING_US:
                break
            expected.append(Hit(max(time_us, begin_us), accent=number * count % bar == 0))
        # One that is due in the very µs of the origin is the song's own.
        assert hits == [hit for hit in expected[::-1] if hit.time_us < origin_us]

    def test_an_endless_one_costs_no_more_than_what_is_heard_of_it(self) -> None:
        # The room refuses more than a few bars, but nobody has to rely on that.
        start = self.start(count_in_bars=2**53)
        assert len(expand(STOPPED, start, until_us=10 * SECOND)) == 20
