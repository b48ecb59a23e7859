"""The click, heard with the ears of a drum machine."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.click import DOUBLED_US, ROUNDING_US, Click, ClickSettings
from midipool.messages import SetTempo
from midipool.meter import BEAT, Loop, Meter
from midipool.timeline import Ramp, Timeline

from .drum_machine import (
    DEFAULT,
    MARGIN_US,
    SECOND,
    STEADY,
    STOPPED,
    Hit,
    Member,
    any_steps,
    chain_of,
    due_hits,
    expand,
    in_time,
    perform,
    playing,
)
from .strategies import Change, conduct, mbpms, songs, timelines

quick = settings(max_examples=80, deadline=None)


class TestAnySong:
    @quick
    @given(songs(in_time), any_steps)
    def test_every_count_of_the_song_clicks_once_at_its_time(
        self, script: list[Change], steps_us: list[int]
    ) -> None:
        member, chain, end_us = perform(script, steps_us)
        heard, due = member.heard(end_us).hits, due_hits(chain, 0, end_us)
        assert [hit for hit in due if hit not in heard] == []
        # Beyond these there may be one that rounding put right before an origin, or a change.
        origins = {timeline.origin_time_us for timeline in chain.timelines}
        origins |= {change.heard_us + MARGIN_US for change in script}
        assert all(hit.time_us in origins for hit in heard if hit not in due)
        assert len({hit.time_us for hit in heard}) == len(heard)

    @quick
    @given(songs(st.integers(-300_000, 400_000)), any_steps)
    def test_what_is_begun_is_ended_and_no_later_than_its_length(
        self, script: list[Change], steps_us: list[int]
    ) -> None:
        member, _, end_us = perform(script, steps_us)
        machine = member.heard(end_us)
        assert all(0 < length <= DEFAULT.length_ms * 1000 for length in machine.lengths_us)
        since = [time_us for time_us in machine.sounding.values()]
        assert all(end_us - time_us <= DEFAULT.length_ms * 1000 for time_us in since)

    @settings(quick, max_examples=40)
    @given(songs(in_time), any_steps)
    def test_the_size_of_the_steps_changes_nothing(
        self, script: list[Change], steps_us: list[int]
    ) -> None:
        stepwise, _, end_us = perform(script, steps_us)
        at_once, _, _ = perform(script, [60 * SECOND])
        for member in (stepwise, at_once):
            member.run_to(end_us)
        events = [[e for e in m.events if e.time_us < end_us] for m in (stepwise, at_once)]
        assert events[0] == events[1]

    @quick
    @given(songs(st.integers(-300_000, 400_000)), any_steps)
    def test_who_hears_of_a_change_late_is_right_from_then_on(
        self, script: list[Change], steps_us: list[int]
    ) -> None:
        member, chain, _ = perform(script, steps_us)
        known_us = max(script[-1].heard_us + MARGIN_US, chain.last.origin_time_us) + DOUBLED_US
        until_us = known_us + 2 * SECOND
        late = [hit for hit in member.heard(until_us).hits if hit.time_us >= known_us]
        assert late == due_hits(chain, known_us, until_us)

    @quick
    @given(timelines(), st.integers(2 * ROUNDING_US, 10 * SECOND))
    def test_who_joins_late_hears_every_click_from_there_on(
        self, timeline: Timeline, late_us: int
    ) -> None:
        from_us = timeline.origin_time_us + late_us
        until_us = from_us + 3 * SECOND
        hits = expand(timeline, from_us=from_us, until_us=until_us)
        due = due_hits(chain_of(timeline), from_us - ROUNDING_US, until_us)
        assert hits == [Hit(max(hit.time_us, from_us), hit.accent) for hit in due]


class TestMeters:
    def test_four_four_clicks_quarters_with_the_accent_on_one(self) -> None:
        hits = expand(STEADY, until_us=5 * SECOND // 2)
        assert hits == [Hit(n * SECOND // 2, accent=n % 4 == 0) for n in range(5)]

    def test_seven_eight_clicks_eighths_with_the_accent_on_one(self) -> None:
        hits = expand(playing(meter=Meter(7, 8)), until_us=4 * SECOND)
        assert hits == [Hit(n * SECOND // 4, accent=n % 7 == 0) for n in range(16)]

    @pytest.mark.parametrize(
        ("meter", "compound", "unit"),
        [
            (Meter(4, 4), False, 1.0),
            (Meter(4, 4), True, 1.0),
            (Meter(6, 8), False, 0.5),
            (Meter(6, 8), True, 1.5),
            (Meter(9, 8), True, 1.5),
            (Meter(12, 8), True, 1.5),
            (Meter(12, 16), True, 0.75),
            (Meter(3, 8), True, 0.5),
            (Meter(7, 8), True, 0.5),
            (Meter(6, 4), True, 1.0),
            (Meter(2, 2), False, 2.0),
            (Meter(3, 1), False, 4.0),
            (Meter(5, 32), False, 0.125),
        ],
        ids=str,
    )
    def test_which_notes_click(self, meter: Meter, compound: bool, unit: float) -> None:
        assert ClickSettings(compound=compound).unit_beats(meter) == unit * BEAT

    def test_six_eight_in_dotted_quarters_has_two_to_the_bar(self) -> None:
        click = Click(ClickSettings(compound=True))
        hits = expand(playing(meter=Meter(6, 8)), until_us=3 * SECOND, click=click)
        assert hits == [Hit(n * SECOND * 3 // 4, accent=n % 2 == 0) for n in range(4)]

    def test_a_new_meter_begins_its_bar_with_the_accent(self) -> None:
        waltz = playing(
            origin_time_us=2 * SECOND, origin_beats=3 * BEAT, meter=Meter(3, 4), epoch=2
        )
        hits = expand(STEADY, waltz, until_us=4 * SECOND)
        assert [hit.accent for hit in hits] == [True, False, False, False, True, False, False, True]


class TestTheSong:
    def test_a_song_that_stands_does_not_click(self) -> None:
        assert expand(STOPPED, until_us=9 * SECOND) == []

    def test_a_stop_ends_the_clicks_and_the_last_one_rings_out(self) -> None:
        stop = Timeline(origin_time_us=SECOND + 10_000, epoch=2)
        click = Click()
        click.follow(chain_of(STEADY, stop), SECOND // 2)
        events = click.extend(9 * SECOND)
        assert events[-2:] == [
            (SECOND, bytes((0x99, 77, 96))),
            (SECOND + 30_000, bytes((0x89, 77, 64))),
        ]
        assert len(events) == 4

    def test_a_loop_goes_round_with_the_accent_where_it_begins(self) -> None:
        loop = playing(meter=Meter(3, 4), loop=Loop(2, 3), mbpm=60_000)
        hits = expand(loop, until_us=10 * SECOND)
        assert [hit.accent for hit in hits] == [n % 3 == 0 for n in range(10)]

    def test_a_locate_to_the_middle_of_a_bar_clicks_there_without_accent(self) -> None:
        there = playing(origin_time_us=SECOND * 7 // 10, origin_beats=65 * BEAT, epoch=2)
        hits = expand(STEADY, there, until_us=SECOND)
        assert hits == [(0, True), (SECOND // 2, False), (SECOND * 7 // 10, False)]

    def test_a_ramp_clicks_where_its_beats_are(self) -> None:
        ramp = playing(ramp=Ramp(240_000, 4 * BEAT))
        hits = expand(ramp, until_us=1_400_000)
        assert [hit.time_us for hit in hits] == [0, 430_501, 774_852, 1_070_368, 1_333_334]

    @given(mbpms, mbpms, st.integers(1, 8), st.integers(-1, 1), st.booleans())
    def test_a_tempo_change_within_a_microsecond_of_a_click_leaves_it_one_click(
        self, before: int, after: int, beat: int, off_us: int, heard_in_time: bool
    ) -> None:
        song = playing(mbpm=before)
        at_us = song.time_at(beat * BEAT) + off_us
        chain = conduct(chain_of(song), SetTempo(id=1, bpm=after / 1000), at_us)
        member = Member(itertools.cycle([SECOND]))
        member.follow(chain if heard_in_time else chain_of(song), 0)
        member.follow(chain, at_us - 1)
        hits = member.heard(at_us + 20_000).hits
        assert len(hits) == beat + 1
        # Micro-beats are coarser than a µs at a slow tempo.
        assert abs(hits[-1].time_us - at_us) <= 60

    @given(st.integers(0, 16), st.integers(20_000, 999_000))
    def test_a_song_continued_a_rounding_behind_a_count_clicks_it(
        self, behind: int, mbpm: int
    ) -> None:
        timeline = playing(origin_beats=8 * BEAT + behind, mbpm=mbpm)
        assert expand(timeline, until_us=1, from_us=-SECOND) == [Hit(0, accent=True)]
