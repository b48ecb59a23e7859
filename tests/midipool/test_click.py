"""The click, heard with the ears of a drum machine."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from midipool.click import DOUBLED_US, ROUNDING_US, Click, ClickSettings
from midipool.errors import InvalidValue
from midipool.messages import SetTempo
from midipool.meter import BEAT, Loop, Meter
from midipool.midi_clock import MidiEvent
from midipool.tempo import steady_beats_after, steady_time_to
from midipool.timeline import Ramp, Timeline
from midipool.timeline_chain import TimelineChain

from .strategies import Change, conduct, mbpms, songs, timelines

SECOND = 1_000_000
MARGIN_US = 25_000
PLANNED_US = 10_000
STOPPED = Timeline(origin_time_us=-SECOND)
DEFAULT = ClickSettings()

quick = settings(max_examples=80, deadline=None)


def playing(**changes: object) -> Timeline:
    return Timeline(**{"playing": True, "epoch": 1, "revision": 1, **changes})  # type: ignore[arg-type]


STEADY = playing()


class Hit(NamedTuple):
    """A note that was played."""

    time_us: int
    accent: bool


@dataclass
class DrumMachine:
    """Plays the notes of the click's default settings. Fails on what would hang or choke one."""

    hits: list[Hit] = field(default_factory=list)
    lengths_us: list[int] = field(default_factory=list)
    sounding: dict[int, int] = field(default_factory=dict)
    _time_us: int = -(2**62)

    def take(self, events: list[MidiEvent]) -> "DrumMachine":
        for time_us, (status, note, velocity) in events:
            assert time_us >= self._time_us, "events out of order"
            self._time_us = time_us
            assert status & 0x0F == DEFAULT.channel - 1
            if status & 0xF0 == 0x80:
                assert note in self.sounding, "an end of a note that does not sound"
                self.lengths_us.append(time_us - self.sounding.pop(note))
            else:
                assert status & 0xF0 == 0x90
                assert 1 <= velocity <= 127
                assert not self.sounding, "a click into the one before it"
                self.sounding[note] = time_us
                self.hits.append(Hit(time_us, note == DEFAULT.accent_note))
        return self


def chain_of(*timelines: Timeline) -> TimelineChain:
    return TimelineChain(timelines)


def expand(
    *timelines: Timeline, until_us: int, from_us: int = 0, click: Click | None = None
) -> list[Hit]:
    click = click or Click()
    click.follow(chain_of(*timelines), from_us)
    return DrumMachine().take(click.extend(until_us)).hits


def due_hits(chain: TimelineChain, from_us: int, until_us: int) -> list[Hit]:
    """The clicks of the song itself, worked out from the timelines' definition alone."""
    hits = []
    for timeline, start, end in chain.spans(from_us):
        if not timeline.playing:
            continue
        start = max(start, timeline.origin_time_us)
        stop = until_us if end is None else min(end, until_us)
        count = timeline.meter.count_beats
        for number in itertools.count(timeline.beats_at(start) // count):
            time_us = timeline.time_at(number * count)
            if time_us >= stop:
                break
            if time_us >= start and number * count >= timeline.origin_beats:
                song = timeline.song_beats(number * count)
                hits.append(Hit(time_us, timeline.meter.position_at(song).beat == 1))
    return hits


@dataclass
class Member:
    """A client with its engine: what was returned for later than a change is discarded."""

    steps_us: Iterator[int]
    click: Click = field(default_factory=Click)
    events: list[MidiEvent] = field(default_factory=list)
    planned_us: int = 0

    def follow(self, chain: TimelineChain, from_us: int) -> None:
        self.run_to(from_us + PLANNED_US)
        self.events = [e for e in self.events if e.time_us < from_us]
        self.click.follow(chain, from_us)
        self.planned_us = from_us

    def run_to(self, time_us: int) -> None:
        while self.planned_us < time_us:
            self.planned_us += next(self.steps_us)
            self.events += self.click.extend(self.planned_us)

    def heard(self, until_us: int) -> DrumMachine:
        self.run_to(until_us)
        return DrumMachine().take([e for e in self.events if e.time_us < until_us])


def perform(script: list[Change], steps_us: list[int]) -> tuple[Member, TimelineChain, int]:
    """Play a script to its end and some more; returns the chain as it was agreed upon."""
    member = Member(itertools.cycle(steps_us))
    chain, end_us = chain_of(STOPPED), 2 * SECOND
    member.follow(chain, 0)
    for change in script:
        chain = conduct(chain, change.command, change.heard_us + change.lead_us)
        member.follow(chain, change.heard_us + MARGIN_US)
        end_us = max(change.heard_us, chain.last.origin_time_us) + 2 * SECOND
    return member, chain, end_us


in_time = st.integers(MARGIN_US, 400_000)
any_steps = st.lists(st.integers(2_000, 700_000), min_size=1, max_size=5)


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


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("channel", 0),
            ("channel", 17),
            ("accent_note", 128),
            ("note", -1),
            ("velocity", 0),
            ("accent_velocity", 128),
            ("volume", 1.1),
            ("volume", float("nan")),
            ("length_ms", 0),
            ("length_ms", 1001),
        ],
    )
    def test_what_no_device_understands_is_refused_by_name(self, name: str, value: float) -> None:
        with pytest.raises(InvalidValue, match="must be") as caught:
            ClickSettings(**{name: value})  # type: ignore[arg-type]
        assert caught.value.field == name

    def test_the_bytes_are_those_that_were_set(self) -> None:
        own = ClickSettings(channel=1, accent_note=60, accent_velocity=100, length_ms=5, volume=0.5)
        click = Click(own)
        click.follow(chain_of(STEADY), 0)
        assert click.extend(SECOND // 4) == [
            (0, bytes((0x90, 60, 50))),
            (5_000, bytes((0x80, 60, 64))),
        ]

    def test_a_faint_click_is_still_a_note_on(self) -> None:
        assert ClickSettings(volume=0.001).note_on(accent=False)[2] == 1

    def test_at_volume_nothing_there_is_nothing(self) -> None:
        assert expand(STEADY, until_us=SECOND, click=Click(ClickSettings(volume=0))) == []

    def test_new_settings_come_with_the_next_follow_and_end_the_old_note(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), 0)
        click.extend(10_000)
        click.settings = ClickSettings(channel=2, note=50)
        assert click.extend(20_000) == []
        click.follow(chain_of(STEADY), 20_000)
        assert click.extend(SECOND // 2 + 1) == [
            (30_000, bytes((0x89, 76, 64))),
            (SECOND // 2, bytes((0x91, 50, 96))),
        ]


class TestNotes:
    def test_a_click_that_comes_before_the_last_one_is_over_ends_it(self) -> None:
        fast = playing(mbpm=999_000, meter=Meter(2, 32))
        click = Click()
        click.follow(chain_of(fast), 0)
        machine = DrumMachine().take(click.extend(SECOND))
        assert len(machine.hits) == 134
        assert set(machine.lengths_us) <= {7_507, 7_508}

    @pytest.mark.parametrize("planned_us", [1, 10_000, 30_000, 30_001, SECOND])
    @pytest.mark.parametrize("from_us", [1, 15_000, 30_000, 30_001])
    def test_a_note_whose_end_was_discarded_is_ended_anew(
        self, planned_us: int, from_us: int
    ) -> None:
        click = Click()
        click.follow(chain_of(STEADY), 0)
        sent = [e for e in click.extend(planned_us) if e.time_us < from_us]
        click.follow(chain_of(STOPPED), from_us)
        sent += click.extend(9 * SECOND)
        assert [e.data[0] for e in sent] == [0x99, 0x89]
        assert sent[-1].time_us == max(30_000, from_us if planned_us <= 30_000 else 0)

    def test_one_that_was_never_begun_is_not_ended(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), -SECOND)
        click.extend(SECOND)
        click.follow(chain_of(STOPPED), 0)
        assert click.extend(9 * SECOND) == []

    def test_a_listener_that_is_lost_has_its_notes_ended(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), 0, lost=True)
        assert click.extend(1) == [
            (0, bytes((0x89, 76, 64))),
            (0, bytes((0x89, 77, 64))),
            (0, bytes((0x99, 76, 127))),
        ]

    def test_and_ended_again_if_that_was_discarded(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), -SECOND)
        click.extend(SECOND)
        click.follow(chain_of(STOPPED), 10_000, lost=True)
        ends = click.extend(SECOND)
        click.follow(chain_of(STOPPED), 10_000)
        assert [e.data[1] for e in ends] == [76, 77]
        assert click.extend(SECOND) == ends


class TestBookkeeping:
    def test_nothing_comes_before_there_is_something_to_follow(self) -> None:
        assert Click().extend(SECOND) == []

    @pytest.mark.parametrize("at_us", [SECOND, SECOND + 10_000])
    def test_another_clock_leaves_the_phase_and_the_sounding_note(self, at_us: int) -> None:
        plain, shifted = Click(), Click()
        for click in (plain, shifted):
            click.follow(chain_of(STEADY), -SECOND)
            click.extend(at_us)
        shifted.shift(777)
        expected = [(e.time_us + 777, e.data) for e in plain.extend(3 * SECOND)]
        assert [tuple(e) for e in shifted.extend(3 * SECOND + 777)] == expected
        plain.follow(chain_of(STEADY), SECOND + 5_000)
        shifted.follow(chain_of(STEADY.moved_by(777)), SECOND + 5_777)
        expected = [(e.time_us + 777, e.data) for e in plain.extend(3 * SECOND)]
        assert [tuple(e) for e in shifted.extend(3 * SECOND + 777)] == expected

    def test_nor_does_it_move_a_note_whose_beginning_is_forgotten(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), 0)
        click.extend(10_000)
        click.forget_before(5_000)
        click.shift(777)
        click.follow(chain_of(STOPPED), 10_777)
        assert click.extend(SECOND) == [(30_777, bytes((0x89, 76, 64)))]

    def test_what_was_sent_long_ago_is_forgotten_without_harm(self) -> None:
        click = Click()
        click.follow(chain_of(STEADY), -SECOND)
        first = [e for e in click.extend(4 * SECOND) if e.time_us < 3 * SECOND + 10_000]
        click.forget_before(3 * SECOND + 5_000)
        click.follow(chain_of(STEADY), 3 * SECOND + 10_000)
        machine = DrumMachine().take(first).take(click.extend(5 * SECOND))
        assert machine.hits == due_hits(chain_of(STEADY), -SECOND, 5 * SECOND)
        assert machine.sounding == {}
