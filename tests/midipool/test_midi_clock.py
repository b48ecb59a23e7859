"""The bytes that a device gets, heard with the ears of a device."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.messages import SetTempo
from midipool.meter import (
    BEAT,
    CLOCKS_PER_BEAT,
    CLOCKS_PER_SIXTEENTH,
    SIXTEENTH_BEATS,
    Loop,
    Meter,
)
from midipool.midi_clock import (
    CLOCK,
    CONTINUE,
    CUE_LEAD_US,
    START,
    START_LEAD_US,
    STOP,
    MidiClock,
    MidiEvent,
    song_position_bytes,
)
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

from .device import LAST_TICK, Heard, Sequencer
from .strategies import Change, conduct, songs, timelines

SECOND = 1_000_000
STOPPED = TimelineChain((Timeline(origin_time_us=-1_000_000),))
# From when on a client changes what it plays, and how far it has planned by then, at least.
MARGIN_US = 25_000
PLANNED_US = 10_000

quick = settings(max_examples=80, deadline=None)


def playing(**changes: object) -> Timeline:
    return Timeline(**{"playing": True, "epoch": 1, "revision": 1, **changes})  # type: ignore[arg-type]


def chain_of(*timelines: Timeline) -> TimelineChain:
    return TimelineChain(timelines)


def expand(chain: TimelineChain, until_us: int, from_us: int = 0) -> list[MidiEvent]:
    clock = MidiClock()
    clock.follow(chain, from_us)
    return clock.extend(until_us)


def due_ticks(chain: TimelineChain, from_us: int, until_us: int) -> Iterator[Heard]:
    """What an ideal device would hear, worked out from the timelines' definition alone."""
    for timeline, start, end in chain.spans(from_us):
        if not timeline.playing:
            continue
        start = max(start, timeline.origin_time_us)
        stop = until_us if end is None else min(end, until_us)
        begin = max(timeline.beats_at(start), timeline.origin_beats) * CLOCKS_PER_BEAT // BEAT
        for tick in itertools.count(begin):
            beats = -(-tick * BEAT // CLOCKS_PER_BEAT)
            time_us = timeline.time_at(beats)
            if time_us >= stop:
                break
            # A tick on the origin itself was not due before: one behind it was.
            if time_us < start or beats < timeline.origin_beats:
                continue
            song = timeline.song_beats(beats) * CLOCKS_PER_BEAT // BEAT
            yield Heard(time_us, song % LAST_TICK)


@dataclass
class Member:
    """A client with its engine: what was returned for later than a change is discarded."""

    steps_us: Iterator[int]
    """How far ahead each `extend` plans."""
    clock: MidiClock = field(default_factory=MidiClock)
    events: list[MidiEvent] = field(default_factory=list)
    planned_us: int = 0

    def follow(self, chain: TimelineChain, from_us: int) -> None:
        self.run_to(from_us + PLANNED_US)
        self.events = [e for e in self.events if e.time_us < from_us]
        self.clock.follow(chain, from_us)
        self.planned_us = from_us

    def heard(self, until_us: int) -> Sequencer:
        """What a device makes of all until then."""
        self.run_to(until_us + PLANNED_US)
        return Sequencer().take([e for e in self.events if e.time_us < until_us])

    def run_to(self, time_us: int) -> None:
        """At least until `time_us`, in steps that end anywhere."""
        while self.planned_us < time_us:
            self.planned_us += next(self.steps_us)
            self.events += self.clock.extend(self.planned_us)


def perform(script: list[Change], steps_us: Iterable[int]) -> tuple[Member, TimelineChain, int]:
    """Play a script to its end and some more; returns the chain as it was agreed upon."""
    member = Member(itertools.cycle(steps_us))
    chain, end_us = STOPPED, 2 * SECOND
    member.follow(chain, 0)
    for change in script:
        chain = conduct(chain, change.command, change.heard_us + change.lead_us)
        member.follow(chain, change.heard_us + MARGIN_US)
        end_us = max(change.heard_us, chain.last.origin_time_us) + 2 * SECOND
    member.run_to(end_us)
    # A cue is left out of a batch that ends in the middle of it.
    return member, chain, end_us - CUE_LEAD_US


def has_sixteenth(timeline: Timeline) -> bool:
    """Whether the loop has a place that a song position can name."""
    if timeline.loop is None:
        return True
    start = timeline.meter.bar_start(timeline.loop.start_bar) * CLOCKS_PER_BEAT // BEAT
    end = timeline.meter.bar_start(timeline.loop.end_bar) * CLOCKS_PER_BEAT // BEAT
    return -(-start // CLOCKS_PER_SIXTEENTH) * CLOCKS_PER_SIXTEENTH < end


in_time = st.integers(MARGIN_US + CUE_LEAD_US, 400_000)
any_steps = st.lists(st.integers(2_000, 700_000), min_size=1, max_size=5)
WHOLE = [60 * SECOND]


class TestAnySong:
    @quick
    @given(songs(in_time), any_steps)
    def test_a_running_device_is_on_the_right_tick_at_the_right_time(
        self, script: list[Change], steps_us: list[int]
    ) -> None:
        member, chain, end_us = perform(script, steps_us)
        device = member.heard(end_us)
        due = {tick.time_us: tick.tick for tick in due_ticks(chain, 0, end_us)}
        for heard in device.heard:
            assert heard.time_us in due, "a clock at a time when none is due"
            if all(has_sixteenth(t) for t in chain.timelines):
                assert heard.tick == due[heard.time_us]

    @quick
    @given(songs(in_time), any_steps)
    def test_no_clock_is_missing_or_doubled(
        self, script: list[Change], steps_us: list[int]
    ) -> None:
        member, chain, end_us = perform(script, steps_us)
        device = member.heard(end_us)
        times = [heard.time_us for heard in device.heard]
        assert len(times) == len(set(times)), "a clock came twice"
        got = set(times)
        missing, last = 0, -2
        for tick in due_ticks(chain, 0, end_us):
            jumped = tick.tick != last + 1
            missing, last = 0 if jumped else missing, tick.tick
            missing = 0 if tick.time_us in got else missing + 1
            # Behind a jump, the device waits for the next place that a song position can name;
            # before one, the cue for it swallows what falls into its two milliseconds.
            assert missing <= CLOCKS_PER_SIXTEENTH
        gaps = _gaps(chain, times, end_us)
        assert all(any(a < e < b for e in device.entered_us) for a, b in gaps), "a gap, no cue"

    @settings(quick, max_examples=25)
    @given(songs(in_time), any_steps)
    def test_the_size_of_the_steps_changes_nothing(
        self, script: list[Change], steps_us: list[int]
    ) -> None:
        stepwise, _, end_us = perform(script, steps_us)
        at_once, _, _ = perform(script, WHOLE)
        events = [[e for e in m.events if e.time_us < end_us] for m in (stepwise, at_once)]
        assert events[0] == events[1]

    @quick
    @given(songs(in_time), any_steps)
    def test_a_device_runs_exactly_while_the_song_plays(
        self, script: list[Change], steps_us: list[int]
    ) -> None:
        member, chain, end_us = perform(script, steps_us)
        device = member.heard(end_us)
        # A cue stops it for a moment.
        cued = device.stopped_us and device.stopped_us[-1] >= end_us - CUE_LEAD_US
        assert device.running == chain.at(end_us).playing or cued

    @quick
    @given(songs(st.integers(-300_000, 400_000)), any_steps)
    def test_what_comes_late_is_made_good(self, script: list[Change], steps_us: list[int]) -> None:
        member, chain, _ = perform(script, steps_us)
        if not has_sixteenth(chain.last):
            return
        # Whoever heard of a start or a jump too late is in at the next bar line, or in an odd
        # meter on the sixteenth behind it. Who is up to a beat ahead has waited for the song.
        settling_us = max(_longest_bar_us(chain.last), _longest_us(chain.last, BEAT))
        settled_us = chain.last.origin_time_us + 400_000 + settling_us
        member.run_to(settled_us + SECOND)
        device = member.heard(settled_us + SECOND)
        late = [h for h in device.heard if settled_us <= h.time_us < settled_us + SECOND // 2]
        due = list(due_ticks(chain, settled_us, settled_us + SECOND // 2))
        if chain.last.loop is None:
            assert late == due
        assert set(late) <= set(due)


def _longest_bar_us(timeline: Timeline) -> int:
    return _longest_us(timeline, timeline.meter.bar_beats + SIXTEENTH_BEATS)


def _longest_us(timeline: Timeline, beats: int) -> int:
    slowest = min(timeline.mbpm, timeline.ramp.to_mbpm if timeline.ramp else timeline.mbpm)
    return beats * 60_000 // slowest


def _gaps(chain: TimelineChain, times: list[int], end_us: int) -> list[tuple[int, int]]:
    """Pairs of clocks between which others were due."""
    due = [tick.time_us for tick in due_ticks(chain, 0, end_us)]
    index = {time_us: number for number, time_us in enumerate(due)}
    pairs = itertools.pairwise(times)
    return [(a, b) for a, b in pairs if index[b] - index[a] > 1]


STEADY = playing(origin_time_us=0)


def bytes_of(events: Iterable[MidiEvent]) -> list[bytes]:
    return [event.data for event in events]


class TestStart:
    def test_a_start_is_f2_fa_and_the_first_clock_on_the_beat(self) -> None:
        events = expand(chain_of(STOPPED.last, playing(origin_time_us=SECOND)), 2 * SECOND)
        assert events[:4] == [
            (SECOND - CUE_LEAD_US, b"\xf2\x00\x00"),
            (SECOND - START_LEAD_US, START),
            (SECOND, CLOCK),
            (SECOND + 20_834, CLOCK),
        ]

    def test_a_stop_is_one_fc_and_silence(self) -> None:
        stop = Timeline(origin_time_us=SECOND, epoch=2, revision=2)
        events = expand(chain_of(STEADY, stop), 3 * SECOND, from_us=-SECOND)
        assert events[-1] == (SECOND, STOP)
        assert bytes_of(events).count(STOP) == 1

    def test_a_locate_stops_the_device_before_it_moves_it(self) -> None:
        there = playing(origin_time_us=SECOND, origin_beats=64 * BEAT, epoch=2, revision=2)
        events = expand(chain_of(STEADY, there), 2 * SECOND, from_us=-SECOND)
        around = [e for e in events if SECOND - CUE_LEAD_US <= e.time_us <= SECOND]
        assert bytes_of(around) == [STOP, b"\xf2\x00\x02", CONTINUE, CLOCK]

    def test_fa_is_for_the_beginning_of_the_song_alone(self) -> None:
        wrapped = playing(origin_time_us=SECOND, origin_beats=4096 * BEAT)
        events = expand(chain_of(STOPPED.last, wrapped), 2 * SECOND)
        assert bytes_of(events)[:2] == [b"\xf2\x00\x00", CONTINUE]

    @pytest.mark.parametrize(
        ("sixteenth", "data"), [(0, "f20000"), (127, "f27f00"), (128, "f20001"), (16383, "f27f7f")]
    )
    def test_song_position_is_fourteen_bits_low_ones_first(self, sixteenth: int, data: str) -> None:
        assert song_position_bytes(sixteenth * CLOCKS_PER_SIXTEENTH).hex() == data
        assert song_position_bytes((sixteenth + 16384) * CLOCKS_PER_SIXTEENTH).hex() == data

    def test_two_starts_within_a_cue_are_one(self) -> None:
        first = playing(origin_time_us=SECOND)
        second = playing(origin_time_us=SECOND + 700, epoch=2, revision=2)
        device = Sequencer().take(expand(chain_of(STOPPED.last, first, second), 2 * SECOND))
        assert device.heard[0] == (SECOND + 700, 0)

    @pytest.mark.parametrize("until_us", range(SECOND - 2_500, SECOND + 1_500, 250))
    def test_nor_does_it_matter_where_a_batch_ends(self, until_us: int) -> None:
        first = playing(origin_time_us=SECOND)
        second = playing(origin_time_us=SECOND + 700, epoch=2, revision=2)
        clock = MidiClock()
        clock.follow(chain_of(STOPPED.last, first, second), 0)
        events = [*clock.extend(until_us), *clock.extend(2 * SECOND)]
        assert events == expand(chain_of(STOPPED.last, first, second), 2 * SECOND)

    def test_a_start_right_behind_a_stop_comes_in_time(self) -> None:
        stop = Timeline(origin_time_us=SECOND, epoch=2, revision=2)
        again = playing(origin_time_us=SECOND + 300, epoch=3, revision=3)
        events = expand(chain_of(STEADY, stop, again), 2 * SECOND, from_us=-SECOND)
        device = Sequencer().take(events)
        assert (SECOND + 300, 0) in device.heard


class TestJoining:
    @given(timelines(), st.integers(0, 10 * SECOND))
    @settings(max_examples=60, deadline=None)
    def test_a_fresh_device_joins_on_the_next_bar_line(
        self, timeline: Timeline, late_us: int
    ) -> None:
        from_us = timeline.origin_time_us + 1 + late_us
        bar_us = _longest_bar_us(timeline)
        events = expand(chain_of(timeline), from_us + 2 * bar_us + SECOND, from_us)
        assert bytes_of(events[:2])[0][0] == 0xF2
        device = Sequencer().take(events)
        due = list(due_ticks(chain_of(timeline), from_us, events[-1].time_us + 1))
        if not has_sixteenth(timeline):
            return
        assert device.heard[0] in due
        first = due.index(device.heard[0])
        bar_ticks = timeline.meter.bar_beats * CLOCKS_PER_BEAT // BEAT
        lines = [tick for tick in due if tick.tick % bar_ticks < CLOCKS_PER_SIXTEENTH]
        sixteenths = [tick for tick in lines if tick.tick % CLOCKS_PER_SIXTEENTH == 0]
        assert due[first] in sixteenths[:2], "neither the next bar line nor the one behind it"
        if [due[first]] == sixteenths[1:2]:
            assert sixteenths[0].time_us < from_us + START_LEAD_US, "there was time for it"

    def test_a_change_of_tempo_is_no_reason_to_join_before_the_bar_line(self) -> None:
        faster = playing(origin_time_us=SECOND, origin_beats=2 * BEAT, mbpm=121_000, revision=2)
        events = expand(chain_of(STEADY, faster), 5 * SECOND, from_us=SECOND // 2)
        device = Sequencer().take(events)
        assert device.heard[0].tick == 4 * CLOCKS_PER_BEAT

    def test_an_odd_meter_is_joined_on_the_next_sixteenth(self) -> None:
        odd = playing(meter=Meter(5, 32))
        device = Sequencer().take(expand(chain_of(odd), 4 * SECOND, from_us=10_000))
        assert device.heard[0].tick == 18  # bar 2 begins on tick 15

    def test_the_song_position_wraps_where_midi_ends(self) -> None:
        near_end = playing(origin_time_us=0, origin_beats=4095 * BEAT)
        events = expand(chain_of(near_end), 5 * SECOND, from_us=SECOND // 4)
        assert bytes_of(events)[:2] == [b"\xf2\x00\x00", CONTINUE]


class TestContinueEveryBar:
    @pytest.mark.parametrize("meter", [Meter(4, 4), Meter(7, 8), Meter(1, 32)])
    @pytest.mark.parametrize("step_us", [60 * SECOND, 1_700, 333])
    def test_fb_comes_a_millisecond_before_each_bar_line_and_nowhere_else(
        self, meter: Meter, step_us: int
    ) -> None:
        timeline = playing(meter=meter)
        clock = MidiClock(continue_every_bar=True)
        clock.follow(chain_of(timeline), -SECOND)
        events = []
        for until_us in range(-SECOND, SECOND * 3 // 2 + step_us, step_us):
            events += clock.extend(until_us)
        device = Sequencer().take([e for e in events if e.time_us < 1_490_000])
        bar_ticks = meter.bar_beats * CLOCKS_PER_BEAT // BEAT
        for time_us, next_tick in device.continued:
            assert next_tick % bar_ticks == 0
            assert timeline.time_at(next_tick * BEAT // CLOCKS_PER_BEAT) - time_us == START_LEAD_US
        bars = {next_tick // bar_ticks for _, next_tick in device.continued}
        assert bars == set(range(1, (device.next_tick - 1) // bar_ticks + 1))

    def test_without_the_option_there_is_none(self) -> None:
        device = Sequencer().take(expand(chain_of(STEADY), 9 * SECOND, -SECOND))
        assert device.continued == []


TINY = [Meter(1, 32), Meter(1, 16), Meter(1, 4)]


class TestTinyLoops:
    @pytest.mark.parametrize("meter", TINY, ids=str)
    @pytest.mark.parametrize("mbpm", [20_000, 120_000, 999_000])
    @pytest.mark.parametrize("bar", [1, 2])
    def test_they_go_round_and_stay_in_time(self, meter: Meter, mbpm: int, bar: int) -> None:
        timeline = playing(
            meter=meter, mbpm=mbpm, loop=Loop(bar, bar + 1), origin_beats=meter.bar_start(bar)
        )
        chain = chain_of(timeline)
        device = Sequencer().take(expand(chain, 2 * SECOND, -SECOND))
        due = list(due_ticks(chain, -SECOND, 2 * SECOND))
        assert [h.time_us for h in device.heard] == [d.time_us for d in due]
        if has_sixteenth(timeline):
            assert device.heard == due

    @pytest.mark.parametrize("meter", TINY, ids=str)
    @pytest.mark.parametrize("at_us", range(SECOND, SECOND + 130_000, 7_000))
    def test_a_tempo_change_anywhere_in_them_loses_at_most_a_sixteenth(
        self, meter: Meter, at_us: int
    ) -> None:
        loop = playing(meter=meter, loop=Loop(1, 2))
        chain = conduct(chain_of(loop), SetTempo(id=1, bpm=121), at_us)
        member = Member(iter([3 * SECOND] * 9))
        member.follow(chain_of(loop), -SECOND)
        member.follow(chain, at_us - 1_000)
        device = member.heard(2 * SECOND)
        due = [tick.time_us for tick in due_ticks(chain, -SECOND, 2 * SECOND)]
        missing = set(due) - {heard.time_us for heard in device.heard}
        assert len(missing) <= CLOCKS_PER_SIXTEENTH
        assert {heard.time_us for heard in device.heard} <= set(due)


class TestLateChanges:
    @given(
        st.integers(-120_000, -1),
        st.integers(40, 400),
        st.integers(40, 400),
    )
    @settings(max_examples=100, deadline=None)
    def test_a_late_tempo_neither_loses_nor_doubles_a_clock(
        self, lead_us: int, before: int, after: int
    ) -> None:
        chain = chain_of(playing(mbpm=before * 1000))
        changed = conduct(chain, SetTempo(id=1, bpm=after), 4 * SECOND + lead_us)
        member = Member(itertools.cycle([SECOND]))
        member.follow(chain, -SECOND)
        member.follow(changed, 4 * SECOND)
        member.run_to(8 * SECOND)
        device = member.heard(7 * SECOND)
        # It was never stopped or cued, and counts what the song counts.
        assert len(device.entered_us) == 1
        assert device.stopped_us == []
        assert [h.tick for h in device.heard] == list(range(len(device.heard)))
        late = [h for h in device.heard if h.time_us >= 5 * SECOND]
        assert late == list(due_ticks(changed, 5 * SECOND, 7 * SECOND))

    def test_a_device_far_off_is_cued_anew(self) -> None:
        chain = chain_of(playing(mbpm=240_000))
        changed = conduct(chain, SetTempo(id=1, bpm=20), SECOND)
        member = Member(itertools.cycle([3 * SECOND]))
        member.follow(chain, -SECOND)
        member.follow(changed, 4 * SECOND)
        device = member.heard(6 * SECOND)
        assert len(device.entered_us) == 2
        due = list(due_ticks(changed, 5 * SECOND, 6 * SECOND))
        assert [h for h in device.heard if h.time_us >= 5 * SECOND] == due

    def test_a_change_while_a_device_waits_for_its_sixteenth_does_not_keep_it_out(self) -> None:
        # Continued right behind a sixteenth, the next one is most of a sixteenth away.
        begun = playing(origin_time_us=SECOND, origin_beats=BEAT + 50_000, mbpm=60_000)
        chain = chain_of(STOPPED.last, begun)
        changed = conduct(chain, SetTempo(id=1, bpm=61), SECOND + 120_000)
        member = Member(itertools.cycle([SECOND]))
        member.follow(chain, 0)
        member.follow(changed, SECOND + 100_000)
        assert member.heard(3 * SECOND).heard[0].tick == CLOCKS_PER_BEAT + CLOCKS_PER_SIXTEENTH


class TestLost:
    @pytest.mark.parametrize("from_us", range(SECOND, SECOND + 140_000, 9_000))
    def test_a_lost_device_is_stopped_and_back_within_a_sixteenth(self, from_us: int) -> None:
        clock = MidiClock()
        clock.follow(chain_of(STEADY), -SECOND)
        clock.extend(4 * SECOND)
        clock.follow(chain_of(STEADY), from_us, lost=True)
        events = clock.extend(4 * SECOND)
        assert events[0] == (from_us, STOP)
        device = Sequencer().take(events)
        assert device.heard[0].time_us <= from_us + 125_000 + CUE_LEAD_US
        assert device.heard == list(
            due_ticks(chain_of(STEADY), device.heard[0].time_us, 4 * SECOND)
        )

    def test_one_that_should_be_silent_is_stopped(self) -> None:
        clock = MidiClock()
        clock.follow(STOPPED, 0, lost=True)
        assert clock.extend(SECOND) == [(0, STOP)]


class TestBookkeeping:
    def test_nothing_comes_before_there_is_something_to_follow(self) -> None:
        assert MidiClock().extend(SECOND) == []

    def test_another_clock_leaves_the_phase(self) -> None:
        plain, shifted = MidiClock(), MidiClock()
        for clock in (plain, shifted):
            clock.follow(chain_of(STEADY), -SECOND)
            clock.extend(SECOND)
        shifted.shift(777)
        expected = [(e.time_us + 777, e.data) for e in plain.extend(3 * SECOND)]
        assert [tuple(e) for e in shifted.extend(3 * SECOND + 777)] == expected

    def test_what_was_sent_long_ago_is_forgotten_without_harm(self) -> None:
        clock = MidiClock()
        clock.follow(chain_of(STEADY), -SECOND)
        first = clock.extend(3 * SECOND)
        clock.forget_before(2 * SECOND)
        clock.follow(chain_of(STEADY), 2 * SECOND)
        device = Sequencer().take([e for e in first if e.time_us < 2 * SECOND])
        device.take(clock.extend(3 * SECOND))
        assert device.heard == list(due_ticks(chain_of(STEADY), -SECOND, 3 * SECOND))
