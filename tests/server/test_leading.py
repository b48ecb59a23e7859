"""Songs that have begun somewhere else, and songs that are counted in."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from midipool.errors import InvalidValue, MidiPoolError
from midipool.messages import (
    Continue,
    Locate,
    Ok,
    SetLoop,
    SetMeter,
    SetTempo,
    Start,
    Stop,
    TransportCommand,
)
from midipool.meter import BEAT, Loop, Meter, Position
from midipool.timeline import Timeline
from midipool_server.conducting import MIN_LEAD_US

from ..midipool.strategies import commands
from .simulation import BEGIN_US, SECOND, Simulation

BAR = 4 * BEAT
BAR_US = 2 * SECOND  # at 120 BPM


def begin(jam: Simulation, timeline: Timeline | None = None) -> tuple[int, int, bool]:
    """Where the last timeline begins: µs from now, song beats, and whether it plays."""
    last = timeline or jam.room.chain.last
    return last.origin_time_us - jam.now_us, last.origin_beats, last.playing


class TestSince:
    def test_a_start_joins_the_song_that_has_begun(self, jam: Simulation) -> None:
        ok = jam.command(Start(id=1, since=jam.now_us - 80_000))
        assert ok.target_send_timestamp == jam.now_us + MIN_LEAD_US
        assert begin(jam) == (MIN_LEAD_US, 2 * (MIN_LEAD_US + 80_000), True)
        # The DAW's own bar 2, and the room's.
        assert jam.room.chain.last.time_at(BAR) == jam.now_us - 80_000 + BAR_US

    def test_a_continue_goes_on_from_where_the_song_stood(self, jam: Simulation) -> None:
        jam.command(Locate(id=1, position=Position(9)))
        jam.run(SECOND)
        jam.command(Continue(id=2, since=jam.now_us - 50_000))
        assert begin(jam) == (MIN_LEAD_US, 8 * BAR + 400_000, True)

    def test_a_locate_keeps_playing(self, playing: Simulation) -> None:
        playing.command(Locate(id=2, position=Position(17), since=playing.now_us - 50_000))
        assert begin(playing) == (MIN_LEAD_US, 16 * BAR + 400_000, True)

    def test_a_stopped_room_is_only_located(self, jam: Simulation) -> None:
        jam.command(Locate(id=2, position=Position(17), since=jam.now_us - 50_000))
        assert begin(jam) == (MIN_LEAD_US, 16 * BAR, False)

    def test_one_that_lies_behind_the_lead_begins_right_then(self, playing: Simulation) -> None:
        since_us = playing.now_us + 3 * SECOND
        ok = playing.command(Start(id=2, since=since_us))
        assert ok.target_send_timestamp == since_us
        assert begin(playing) == (3 * SECOND, 0, True)
        # Until then the song stays as it is.
        assert playing.timeline_at(since_us - 1).revision == 1
        playing.run(10 * SECOND)
        assert playing.room.chain.timelines == (playing.timeline_at(playing.now_us),)

    def test_one_within_the_lead_is_joined_on_the_way(self, jam: Simulation) -> None:
        jam.command(Start(id=1, since=jam.now_us + MIN_LEAD_US - 30_000))
        assert begin(jam) == (MIN_LEAD_US, 60_000, True)

    @pytest.mark.parametrize("away_us", [-5 * SECOND, 60 * SECOND])
    def test_it_can_be_so_far_away(self, jam: Simulation, away_us: int) -> None:
        jam.command(Start(id=1, since=jam.now_us + away_us))

    @pytest.mark.parametrize(
        ("command", "field"),
        [
            (Start(id=1, since=BEGIN_US - 5 * SECOND - 1), "since"),
            (Start(id=1, since=BEGIN_US + 60 * SECOND + 1), "since"),
            (Continue(id=1, since=-(2**52)), "since"),
            (Locate(id=1, position=Position(2), since=2**52), "since"),
            (Start(id=1, since=BEGIN_US, at="bar"), "since"),
            (Start(id=1, since=BEGIN_US, count_in_bars=1), "count_in_bars"),
        ],
    )
    def test_anything_else_is_refused_by_its_field(
        self, jam: Simulation, command: TransportCommand, field: str
    ) -> None:
        with pytest.raises(InvalidValue) as caught:
            jam.command(command)
        assert caught.value.field == field
        assert jam.room.revision == 0

    def test_a_stop_cancels_a_start_that_is_to_come(self, playing: Simulation) -> None:
        playing.command(Start(id=2, since=playing.now_us + 30 * SECOND))
        stop = playing.command(Stop(id=3))
        assert stop.target_send_timestamp == playing.now_us + MIN_LEAD_US
        playing.run(40 * SECOND)
        assert not playing.timeline_at(playing.now_us).playing
        assert not playing.listened().at(playing.now_us).playing

    def test_the_newest_start_counts(self, jam: Simulation) -> None:
        jam.command(Start(id=1, since=jam.now_us + 10 * SECOND))
        jam.command(Start(id=2, since=jam.now_us + 20 * SECOND))
        jam.run(15 * SECOND)
        assert not jam.timeline_at(jam.now_us).playing
        assert not jam.listened().at(jam.now_us).playing
        jam.run(10 * SECOND)
        assert jam.timeline_at(jam.now_us).playing
        assert jam.listened().at(jam.now_us).playing

    def test_a_tempo_before_it_leaves_its_time(self, jam: Simulation) -> None:
        since_us = jam.now_us + 10 * SECOND
        jam.command(Start(id=1, since=since_us))
        tempo = jam.command(SetTempo(id=2, bpm=60))
        assert tempo.target_send_timestamp == jam.now_us + MIN_LEAD_US
        assert begin(jam) == (10 * SECOND, 0, True)
        assert jam.room.chain.last.mbpm == 60_000

    def test_a_locate_in_the_meantime_does_not_undo_a_later_one(self, playing: Simulation) -> None:
        playing.command(Start(id=2, since=playing.now_us + 10 * SECOND))
        playing.command(Locate(id=3, position=Position(5), since=playing.now_us + 20 * SECOND))
        playing.run(15 * SECOND)
        assert playing.timeline_at(playing.now_us).origin_beats == 0
        playing.run(10 * SECOND)
        assert playing.timeline_at(playing.now_us).origin_beats == 4 * BAR

    def test_the_newest_locate_counts(self, playing: Simulation) -> None:
        playing.command(Locate(id=2, position=Position(5), since=playing.now_us + 20 * SECOND))
        playing.command(Locate(id=3, position=Position(9), since=playing.now_us + 10 * SECOND))
        playing.run(30 * SECOND)
        assert playing.timeline_at(playing.now_us).origin_beats == 8 * BAR


class TestCountIn:
    @pytest.mark.parametrize(("bpm", "meter"), [(120.0, Meter(4, 4)), (133.7, Meter(7, 8))])
    def test_the_song_begins_so_many_bars_after_the_lead(
        self, jam: Simulation, bpm: float, meter: Meter
    ) -> None:
        jam.command(SetTempo(id=1, bpm=bpm))
        jam.command(SetMeter(id=2, meter=meter))
        jam.run(SECOND)
        ok = jam.command(Start(id=3, count_in_bars=2))
        last = jam.room.chain.last
        counted_us = Timeline(playing=True, mbpm=last.mbpm).time_at(2 * meter.bar_beats)
        assert begin(jam) == (MIN_LEAD_US + counted_us, 0, True)
        assert ok.target_send_timestamp == last.origin_time_us
        assert (ok.revision, ok.epoch) == (last.revision, last.epoch)
        assert last.count_in_bars == 2
        assert not jam.timeline_at(last.origin_time_us - 1).playing

    def test_so_with_continue(self, jam: Simulation) -> None:
        jam.command(Locate(id=1, position=Position(9)))
        jam.run(SECOND)
        jam.command(Continue(id=2, count_in_bars=1))
        assert begin(jam) == (MIN_LEAD_US + BAR_US, 8 * BAR, True)

    def test_a_song_that_plays_stands_while_it_is_counted(self, playing: Simulation) -> None:
        playing.command(Start(id=2, count_in_bars=1))
        before, stopped, counted = playing.room.chain.timelines
        assert (before.playing, stopped.playing, counted.playing) == (True, False, True)
        assert begin(playing, stopped)[0] == MIN_LEAD_US
        assert begin(playing, counted)[0] == MIN_LEAD_US + BAR_US
        assert (stopped.count_in_bars, counted.count_in_bars) == (0, 1)

    def test_on_the_bar_line_it_is_counted_from_there(self, playing: Simulation) -> None:
        line_us = playing.room.chain.last.time_at(BAR)
        ok = playing.command(Start(id=2, count_in_bars=1, at="bar"))
        assert ok.target_send_timestamp == line_us + BAR_US
        assert playing.timeline_at(line_us).origin_beats == BAR
        assert not playing.timeline_at(line_us).playing

    def test_continue_in_a_song_that_plays_changes_nothing(self, playing: Simulation) -> None:
        playing.command(Continue(id=2, count_in_bars=4))
        last = playing.room.chain.last
        assert (last.playing, last.count_in_bars, last.epoch) == (True, 0, 1)
        assert begin(playing)[0] == MIN_LEAD_US

    def test_a_stop_cancels_it(self, jam: Simulation) -> None:
        jam.command(Start(id=1, count_in_bars=8))
        jam.run(3 * SECOND)
        ok = jam.command(Stop(id=2))
        assert ok.target_send_timestamp == jam.now_us + MIN_LEAD_US
        jam.run(60 * SECOND)
        assert not jam.timeline_at(jam.now_us).playing
        assert not jam.listened().at(jam.now_us).playing

    def test_another_start_takes_its_place(self, jam: Simulation) -> None:
        jam.command(Start(id=1, count_in_bars=4))
        jam.run(SECOND)
        jam.command(Start(id=2))
        assert begin(jam) == (MIN_LEAD_US, 0, True)
        jam.run(20 * SECOND)
        assert jam.timeline_at(jam.now_us).revision == 2

    def test_it_goes_on_in_another_tempo(self, jam: Simulation) -> None:
        jam.command(Start(id=1, count_in_bars=2))
        jam.run(BAR_US)  # One lead time more, and half of the count-in is over.
        jam.command(SetTempo(id=2, bpm=60))
        assert begin(jam) == (MIN_LEAD_US + 2 * BAR_US, 0, True)
        last = jam.room.chain.last
        assert (last.mbpm, last.count_in_bars) == (60_000, 2)

    def test_the_same_tempo_moves_nothing(self, jam: Simulation) -> None:
        jam.command(SetTempo(id=1, bpm=133.7))
        ok = jam.command(Start(id=2, count_in_bars=2))
        jam.run(SECOND)
        jam.command(SetTempo(id=3, bpm=133.7))
        assert jam.room.chain.last.origin_time_us == ok.target_send_timestamp

    def test_another_meter_counts_anew(self, jam: Simulation) -> None:
        jam.command(Start(id=1, count_in_bars=2))
        jam.run(BAR_US)
        jam.command(SetMeter(id=2, meter=Meter(3, 4)))
        assert begin(jam) == (MIN_LEAD_US + 3 * SECOND, 0, True)

    def test_a_locate_has_the_song_begin_there(self, jam: Simulation) -> None:
        ok = jam.command(Start(id=1, count_in_bars=2))
        jam.run(SECOND)
        jam.command(Locate(id=2, position=Position(17)))
        last = jam.room.chain.last
        assert (last.origin_time_us, last.origin_beats) == (ok.target_send_timestamp, 16 * BAR)
        assert (last.playing, last.count_in_bars) == (True, 2)

    def test_so_does_one_that_waits(self, jam: Simulation) -> None:
        ok = jam.command(Start(id=1, count_in_bars=2))
        jam.command(Locate(id=2, position=Position(17), since=jam.now_us + 2 * SECOND))
        last = jam.room.chain.last
        assert (last.origin_time_us, last.origin_beats) == (ok.target_send_timestamp, 16 * BAR)

    def test_it_may_come_to_its_end_behind_what_was_to_come_later(self, jam: Simulation) -> None:
        jam.command(Start(id=1, count_in_bars=2))
        jam.command(Locate(id=2, position=Position(17), since=jam.now_us + 5 * SECOND))
        jam.command(SetTempo(id=3, bpm=60))
        jam.run(20 * SECOND)
        assert jam.timeline_at(jam.now_us).playing
        assert jam.listened().at(jam.now_us) == jam.timeline_at(jam.now_us)

    def test_a_loop_leaves_it(self, jam: Simulation) -> None:
        ok = jam.command(Start(id=1, count_in_bars=2))
        jam.command(SetLoop(id=2, loop=Loop(1, 3)))
        last = jam.room.chain.last
        assert (last.origin_time_us, last.loop) == (ok.target_send_timestamp, Loop(1, 3))
        assert last.count_in_bars == 2

    def test_nothing_that_comes_later_is_counted_in(self, jam: Simulation) -> None:
        jam.command(Start(id=1, count_in_bars=1))
        jam.run(4 * SECOND)
        for command in (SetTempo(id=2, bpm=90), SetLoop(id=3, loop=None), Stop(id=4)):
            jam.command(command)
            assert jam.room.chain.last.count_in_bars == 0

    def test_a_start_that_waits_for_a_bar_does_not_cut_it_short(self, playing: Simulation) -> None:
        playing.command(Start(id=2, at="bar"))
        ok = playing.command(Start(id=3, count_in_bars=2))
        assert playing.room.chain.last.origin_time_us == ok.target_send_timestamp

    def test_its_bars_are_announced_from_its_end_on(self, jam: Simulation) -> None:
        ok = jam.command(Start(id=1, count_in_bars=1))
        jam.run(10 * SECOND)
        targets = [s.target_send_timestamp for _, s in jam.syncs()]
        begun_us = ok.target_send_timestamp
        assert targets == [begun_us + n * BAR_US for n in range(len(targets))]
        assert len(targets) >= 5


@st.composite
def led(draw: st.DrawFn) -> tuple[TransportCommand, int | None]:
    """A command, and how far from now its `since` is."""
    command = draw(commands)
    how = draw(st.sampled_from(["plain", "bar", "counted", "since", "since"]))
    if how == "counted" and isinstance(command, Start | Continue):
        at = draw(st.sampled_from(["now", "bar"]))
        return replace(command, count_in_bars=draw(st.integers(1, 2)), at=at), None
    if how == "since" and isinstance(command, Start | Continue | Locate):
        return command, draw(st.integers(-5 * SECOND, 6 * SECOND))
    return replace(command, at="bar" if how == "bar" else "now"), None


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1_500_000), led()), max_size=12))
def test_whatever_is_asked_for_everybody_ends_in_the_same_song(
    script: list[tuple[int, tuple[TransportCommand, int | None]]],
) -> None:
    jam = Simulation()
    jam.join()
    for wait_us, (command, since_us) in script:
        jam.run(wait_us)
        if since_us is not None:
            command = replace(command, since=jam.now_us + since_us)
        try:
            ok = jam.command(command)
        except MidiPoolError:
            continue
        assert isinstance(ok, Ok)
        assert ok.target_send_timestamp >= jam.now_us + MIN_LEAD_US
        timelines = jam.room.chain.timelines
        assert jam.listened().since(jam.now_us) == jam.room.chain.since(jam.now_us)
        assert [t.revision for t in timelines] == sorted({t.revision for t in timelines})
        origins = [t.origin_time_us for t in timelines]
        assert origins == sorted(set(origins))
        for before, after in pairwise(timelines):
            assert not (after.count_in_bars and before.playing), "counted in while it plays"
    jam.run(40 * SECOND)
    assert jam.listened().since(jam.now_us) == jam.room.chain.since(jam.now_us)
    told = [(s.timeline.revision, s.target_send_timestamp) for _, s in jam.syncs()]
    assert len(told) == len(set(told)), "a bar was announced twice"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1_500_000), led()), max_size=8))
def test_after_a_stop_nothing_that_was_counted_in_begins(
    script: list[tuple[int, tuple[TransportCommand, int | None]]],
) -> None:
    jam = Simulation()
    jam.join()
    for wait_us, (command, since_us) in script:
        jam.run(wait_us)
        if since_us is not None:
            command = replace(command, since=jam.now_us + since_us)
        elif command.at == "bar":
            continue  # What waits for a bar line comes after a stop all the same.
        try:
            jam.command(command)
        except MidiPoolError:
            continue
    jam.command(Stop(id=99))
    jam.run(70 * SECOND)
    assert not jam.timeline_at(jam.now_us).playing
