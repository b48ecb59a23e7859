"""A room on virtual time: who is in it, what it plays, and whom it tells when."""

from collections import Counter
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from midipool.errors import InvalidValue, MidiPoolError, Refused
from midipool.messages import (
    BarSync,
    ClientMessage,
    ClockProbe,
    Continue,
    Hello,
    Locate,
    Members,
    MemberStatus,
    Midi,
    SetLoop,
    SetMeter,
    SetPassword,
    SetTempo,
    Start,
    Stop,
    Takeover,
    TransportCommand,
    decode_server,
    encode,
)
from midipool.meter import BEAT, Loop, Meter, Position
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_server.bar_syncs import AHEAD_US
from midipool_server.conducting import MAX_LEAD_US, MIN_LEAD_US
from midipool_server.outgoing import refusal
from midipool_server.room import Room
from midipool_server.schedule import MAX_PENDING

from ..midipool.strategies import commands
from .simulation import ANNA, BEGIN_US, BERT, SECOND, Simulation


class TestCommands:
    def test_one_applies_one_lead_ahead(self, jam: Simulation) -> None:
        ok = jam.command(Start(id=7))
        assert ok.id == 7
        assert ok.target_send_timestamp == BEGIN_US + MIN_LEAD_US
        [(at, sync), *_] = jam.syncs()
        assert (at, sync.target_send_timestamp) == (BEGIN_US, ok.target_send_timestamp)
        assert (sync.playing, sync.revision, sync.epoch) == (True, ok.revision, ok.epoch)

    def test_the_lead_grows_with_the_slowest_member(self, jam: Simulation) -> None:
        jam.room.handle(jam.now_us, ANNA, MemberStatus(200_000, 1, 0, 0, 0))
        assert jam.room.conducting.lead_us() == 500_000
        jam.room.handle(jam.now_us, ANNA, MemberStatus(1e12, 1, 0, 0, 0))
        assert jam.room.conducting.lead_us() == MAX_LEAD_US
        jam.room.handle(jam.now_us, ANNA, MemberStatus(0, 1, 0, 0, 0))
        assert jam.room.conducting.lead_us() == MIN_LEAD_US

    def test_the_lead_grows_with_a_port_that_plays_early(self, jam: Simulation) -> None:
        jam.room.handle(jam.now_us, ANNA, MemberStatus(50_000, 1, 0, 0, 0, early_us=200_000))
        assert jam.room.conducting.lead_us() == 400_000

    @pytest.mark.parametrize("bpm", [20.0, 119.93, 120.0, 999.0])
    def test_at_bar_is_on_the_bar_line_to_the_beat(self, jam: Simulation, bpm: float) -> None:
        jam.command(SetTempo(id=1, bpm=bpm))
        jam.command(Start(id=2))
        jam.run(1_234_567)
        before = jam.timeline_at(jam.now_us)
        ok = jam.command(SetTempo(id=3, bpm=77, at="bar"))
        line = before.next_bar_line(jam.now_us + MIN_LEAD_US)
        assert ok.target_send_timestamp == before.time_at(line)
        after = jam.room.chain.last
        assert after.origin_beats == line
        assert after.origin_beats % (4 * BEAT) == 0

    def test_a_meter_waits_for_the_bar_line(self, playing: Simulation) -> None:
        playing.command(SetMeter(id=2, meter=Meter(7, 8)))
        after = playing.room.chain.last
        assert after.position_at(after.origin_time_us) == Position(2, 1)
        assert after.origin_beats == 3_500_000

    def test_at_bar_in_a_stopped_room_is_now(self, jam: Simulation) -> None:
        ok = jam.command(Locate(id=1, position=Position(5), at="bar"))
        assert ok.target_send_timestamp == BEGIN_US + MIN_LEAD_US

    def test_all_in_one_lead_add_up(self, jam: Simulation) -> None:
        script: list[TransportCommand]
        script = [SetMeter(id=1, meter=Meter(3, 4)), SetTempo(id=2, bpm=90), Start(id=3)]
        for number, command in enumerate(script):
            jam.now_us += number
            jam.command(command)
        last = jam.room.chain.last
        assert (last.playing, last.mbpm, last.meter) == (True, 90_000, Meter(3, 4))

    def test_one_that_waits_for_its_bar_is_kept_when_another_comes_before(
        self, playing: Simulation
    ) -> None:
        playing.command(Locate(id=2, position=Position(17), at="bar"))
        playing.command(SetTempo(id=3, bpm=90))
        located = playing.room.chain.last
        assert located.origin_beats == 64 * BEAT
        assert located.mbpm == 90_000
        faster = playing.room.chain.timelines[-2]
        assert faster.time_at(4 * BEAT) == located.origin_time_us

    def test_two_that_wait_for_one_bar_both_happen(self, playing: Simulation) -> None:
        first = playing.command(SetTempo(id=2, bpm=90, at="bar"))
        second = playing.command(SetLoop(id=3, loop=Loop(2, 4), at="bar"))
        assert first.target_send_timestamp == second.target_send_timestamp
        last = playing.room.chain.last
        assert (last.mbpm, last.loop) == (90_000, Loop(2, 4))

    def test_one_with_a_shorter_lead_does_not_overtake(self, jam: Simulation) -> None:
        jam.room.handle(jam.now_us, ANNA, MemberStatus(1e6, 1, 0, 0, 0))
        first = jam.command(Start(id=1))
        jam.room.handle(jam.now_us, ANNA, MemberStatus(0, 1, 0, 0, 0))
        second = jam.command(SetTempo(id=2, bpm=90))
        assert second.target_send_timestamp >= first.target_send_timestamp
        last = jam.room.chain.last
        assert (last.playing, last.mbpm, last.origin_beats) == (True, 90_000, 0)

    def test_a_stop_does_not_pull_a_waiting_start_nearer(self, playing: Simulation) -> None:
        start = playing.command(Start(id=2, at="bar"))
        stop = playing.command(Stop(id=3))
        assert stop.target_send_timestamp < start.target_send_timestamp
        between = (stop.target_send_timestamp + start.target_send_timestamp) // 2
        assert not playing.timeline_at(between).playing
        assert playing.room.chain.last.origin_time_us == start.target_send_timestamp

    @pytest.mark.parametrize(
        "command", [Locate(id=2, position=Position(1, 9)), SetTempo(id=2, bpm=5.0)]
    )
    def test_one_that_is_refused_changes_nothing(
        self, playing: Simulation, command: TransportCommand
    ) -> None:
        playing.command(Locate(id=1, position=Position(9), at="bar"))
        before = (playing.room.chain, playing.room.revision, playing.room.next_deadline())
        with pytest.raises(InvalidValue):
            playing.command(command)
        assert before == (playing.room.chain, playing.room.revision, playing.room.next_deadline())
        # What waits for its bar is not lost by it.
        playing.command(SetTempo(id=3, bpm=90))
        assert playing.room.chain.last.origin_beats == 32 * BEAT

    def test_one_that_breaks_what_waits_is_refused_whole(self, playing: Simulation) -> None:
        playing.command(SetMeter(id=1, meter=Meter(5, 4), at="bar"))
        playing.command(Locate(id=2, position=Position(9, 5), at="bar"))
        assert playing.room.chain.last.origin_beats == 44 * BEAT

    def test_a_stale_one_is_refused(self, playing: Simulation) -> None:
        epoch = playing.room.chain.last.epoch
        playing.command(Stop(id=2, epoch=epoch))
        with pytest.raises(Refused) as caught:
            playing.command(Start(id=3, epoch=epoch))
        assert caught.value.code == "stale_epoch"
        assert refusal(caught.value, 3).id == 3
        playing.command(Start(id=4, epoch=epoch + 1))

    def test_revisions_and_epochs_only_rise(self, playing: Simulation) -> None:
        oks = [
            playing.command(command)
            for command in (
                Locate(id=2, position=Position(9), at="bar"),
                SetTempo(id=3, bpm=100),
                Stop(id=4),
                Continue(id=5),
            )
        ]
        revisions = [t.revision for t in playing.room.chain.timelines]
        assert revisions == sorted(set(revisions))
        assert [ok.revision for ok in oks] == sorted({ok.revision for ok in oks})

    def test_only_so_many_can_wait(self, playing: Simulation) -> None:
        for number in range(MAX_PENDING):
            playing.command(SetTempo(id=number, bpm=100 + number, at="bar"))
        with pytest.raises(Refused) as caught:
            playing.command(Stop(id=99))
        assert caught.value.code == "too_fast"
        playing.run(4 * SECOND)
        playing.command(Stop(id=100))

    def test_a_flood_of_them_is_not_made_a_bigger_one(self, playing: Simulation) -> None:
        sent = len(playing.sent)
        for number in range(40):
            playing.now_us += 1_000
            playing.command(SetTempo(id=number, bpm=100 + number))
        # An answer, the change itself, and the bars of the next four seconds that it moved.
        assert len(playing.sent) - sent <= 40 * 5

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 700_000), commands, st.booleans()), max_size=12))
    def test_any_commands_leave_a_room_that_works(
        self, script: list[tuple[int, TransportCommand, bool]]
    ) -> None:
        jam = Simulation()
        jam.join()
        jam.command(Start(id=0))
        known = TimelineChain((Timeline(),))
        for wait_us, command, at_bar in script:
            jam.run(wait_us)
            command = replace(command, at="bar" if at_bar else "now")
            try:
                ok = jam.command(command)
            except MidiPoolError:
                continue
            assert ok.target_send_timestamp >= jam.now_us + MIN_LEAD_US
        jam.run(5 * SECOND)
        # A member that only listens knows what the room knows.
        for _, sync in jam.syncs():
            assert decode_server(encode(sync)) == sync
            if sync.timeline not in known.timelines and sync.revision >= known.revision:
                known = known.then(sync.timeline)
        assert known.since(jam.now_us) == jam.room.chain.since(jam.now_us)
        told = [(s.timeline.revision, s.target_send_timestamp) for _, s in jam.syncs()]
        assert len(told) == len(set(told)), "a bar was announced twice"


class TestBarSync:
    @pytest.mark.parametrize(
        ("bpm", "meter", "seconds"),
        [
            (120.0, Meter(4, 4), 30),
            (133.7, Meter(7, 8), 30),
            (20.0, Meter(4, 4), 120),
            (999.0, Meter(1, 32), 5),
            (20.0, Meter(4, 1), 300),
        ],
    )
    def test_each_bar_is_announced_once_in_order_and_in_time(
        self, jam: Simulation, bpm: float, meter: Meter, seconds: int
    ) -> None:
        jam.command(SetTempo(id=1, bpm=bpm))
        jam.command(SetMeter(id=2, meter=meter))
        jam.command(Start(id=3))
        jam.run(seconds * SECOND)
        _check_syncs(jam, jam.room.chain.last)

    def test_bars_before_a_change_are_not_announced_again(self, jam: Simulation) -> None:
        jam.room.handle(jam.now_us, ANNA, MemberStatus(1e6, 1, 0, 0, 0))
        jam.command(SetMeter(id=1, meter=Meter(1, 4)))
        jam.command(Start(id=2))
        jam.run(5 * SECOND)
        ok = jam.command(SetTempo(id=3, bpm=60))
        [first, *_] = [s for at, s in jam.syncs() if at == jam.now_us]
        assert first.target_send_timestamp == ok.target_send_timestamp
        told = [(s.timeline.revision, s.target_send_timestamp) for _, s in jam.syncs()]
        assert len(told) == len(set(told))

    def test_a_loop_is_announced_bar_by_bar(self, jam: Simulation) -> None:
        jam.command(SetLoop(id=1, loop=Loop(2, 4)))
        jam.command(Start(id=2))
        jam.run(20 * SECOND)
        syncs = _check_syncs(jam, jam.room.chain.last)
        assert [s.position.bar for s in syncs[:7]] == [1, 2, 3, 2, 3, 2, 3]
        assert [s.position.song_position for s in syncs[:4]] == [0, 16, 32, 16]
        assert all(s.loop == Loop(2, 4) for s in syncs)

    def test_a_ramp_is_announced_with_the_tempo_of_each_bar(self, jam: Simulation) -> None:
        jam.command(SetTempo(id=1, bpm=60))
        jam.command(Start(id=2))
        jam.run(2 * SECOND)
        jam.command(SetTempo(id=3, bpm=240, ramp_bars=4, at="bar"))
        jam.run(30 * SECOND)
        syncs = _check_syncs(jam, jam.room.chain.last)
        bpms = [s.bpm for s in syncs]
        assert bpms[0] == 60
        assert bpms == sorted(bpms)
        assert bpms[4:6] == [240, 240]

    def test_a_change_takes_back_what_it_moves_and_no_more(self, playing: Simulation) -> None:
        playing.run(SECOND // 2)
        before = len(playing.sent)
        ok = playing.command(SetTempo(id=2, bpm=60))
        targets = [s.target_send_timestamp for at, s in playing.syncs() if at == playing.now_us]
        assert targets[0] == ok.target_send_timestamp
        assert targets == sorted(set(targets))
        assert len(playing.sent) > before
        playing.run(20 * SECOND)
        _check_syncs(playing, playing.room.chain.last)

    def test_bars_before_a_change_are_announced_on_what_they_lie(self, jam: Simulation) -> None:
        jam.command(SetMeter(id=1, meter=Meter(1, 32)))
        jam.command(SetTempo(id=2, bpm=999))
        jam.room.handle(jam.now_us, ANNA, MemberStatus(1e6, 0, 0, 0, 0))
        jam.run(2 * SECOND)
        start = jam.command(Start(id=3))
        jam.now_us += 50_000
        tempo = jam.command(SetTempo(id=4, bpm=500))
        jam.run(3 * SECOND)
        targets = [s.target_send_timestamp for _, s in jam.syncs() if s.playing]
        assert len(targets) == len(set(targets))
        start_us, tempo_us = start.target_send_timestamp, tempo.target_send_timestamp
        assert sum(start_us <= target < tempo_us for target in targets) == 7

    def test_a_stopped_room_says_nothing(self, playing: Simulation) -> None:
        playing.command(Stop(id=2))
        sent = len(playing.sent)
        playing.run(3600 * SECOND)
        assert len(playing.sent) == sent
        assert playing.room.next_deadline() is None

    def test_a_server_that_was_held_up_does_not_announce_the_past(
        self, playing: Simulation
    ) -> None:
        playing.now_us += 60 * SECOND
        late = playing.take(playing.room.poll(playing.now_us))
        targets = [o.message.target_send_timestamp for o in late if isinstance(o.message, BarSync)]
        assert targets
        assert min(targets) >= playing.now_us


def _check_syncs(jam: Simulation, last: Timeline) -> list[BarSync]:
    """Every bar line of `last` from its origin on: once, in order, and in time."""
    on_last = [(at, s) for at, s in jam.syncs() if s.timeline == last]
    targets = [s.target_send_timestamp for _, s in on_last]
    bar = last.meter.bar_beats
    lines = [last.origin_beats + n * bar for n in range(len(targets))]
    assert last.origin_beats % bar == 0 or targets[0] == last.origin_time_us
    if last.origin_beats % bar == 0:
        assert targets == [last.time_at(beats) for beats in lines]
    known_us = on_last[0][0]
    for at, sync in on_last:
        target = sync.target_send_timestamp
        two_bars_us = target - last.time_at(last.beats_at(target) - 2 * bar)
        ahead_us = max(two_bars_us, AHEAD_US)
        assert target - at >= ahead_us or at == known_us
        assert sync.bpm == last.mbpm_at(target) / 1000
        assert sync.position.beat == 1 or target == last.origin_time_us
    assert targets[-1] >= jam.now_us
    return [s for _, s in on_last]


class TestMembers:
    def test_who_joins_gets_all_that_is_needed(self, playing: Simulation) -> None:
        playing.command(Locate(id=2, position=Position(9), at="bar"))
        welcome = playing.join(BERT, "bert")
        assert welcome.timelines == list(playing.room.chain.timelines)
        assert len(welcome.timelines) == 2
        assert welcome.timelines[0].origin_time_us <= playing.now_us
        assert (welcome.room, welcome.clock_id, welcome.clock_port) == ("jam", "c10c", 8765)
        assert [m.name for m in welcome.members] == ["anna", "bert"]
        assert not welcome.fresh
        assert welcome.token
        assert decode_server(encode(welcome)) == welcome

    def test_the_others_are_told(self, jam: Simulation) -> None:
        jam.join(BERT, "bert")
        last = jam.sent[-1][1]
        assert last.to is None
        assert isinstance(last.message, Members)
        assert [m.name for m in last.message.members] == ["anna", "bert"]

    def test_a_new_room_is_fresh_until_something_happens(self) -> None:
        jam = Simulation()
        assert jam.join().fresh
        jam.command(SetTempo(id=1, bpm=90))
        assert not jam.join(BERT, "bert").fresh

    def test_no_two_have_one_name(self, jam: Simulation) -> None:
        with pytest.raises(Refused) as caught:
            jam.join(BERT, "anna")
        assert (caught.value.code, caught.value.field) == ("name_taken", "name")
        assert list(jam.room.members) == [ANNA]

    def test_a_remote_may_have_any_name_and_nobody_sees_it(self, jam: Simulation) -> None:
        sent = len(jam.sent)
        welcome = jam.join(BERT, "anna", remote=True)
        assert [m.name for m in welcome.members] == ["anna"]
        assert len(jam.sent) == sent + 1
        assert jam.room.leave(jam.now_us, BERT) == []

    def test_a_full_room_takes_remotes_only(self) -> None:
        jam = Simulation(Room("jam", "c10c", 0, max_members=1))
        jam.join()
        with pytest.raises(Refused) as caught:
            jam.join(BERT, "bert")
        assert caught.value.code == "room_full"
        jam.join(BERT, "bert", remote=True)

    def test_a_place_is_kept_for_a_while(self, jam: Simulation) -> None:
        jam.take(jam.room.lost(jam.now_us, ANNA))
        assert not jam.room.empty
        assert not jam.room.members[ANNA].info().connected
        jam.run(jam.room.keep_us - 1)
        assert not jam.room.empty
        jam.run(1)
        assert jam.room.empty
        assert jam.room.next_deadline() is None

    def test_by_its_token_a_member_comes_back_to_its_place(self, jam: Simulation) -> None:
        token = jam.room.members[ANNA].token
        jam.room.lost(jam.now_us, ANNA)
        replaced, _ = jam.room.join(jam.now_us, BERT, "anna", token, False, "f" * 32)
        assert replaced is None
        assert list(jam.room.members) == [BERT]
        assert jam.room.members[BERT].token == token

    def test_also_while_its_old_connection_seems_alive(self, jam: Simulation) -> None:
        token = jam.room.members[ANNA].token
        replaced, _ = jam.room.join(jam.now_us, BERT, "anna", token, False, "f" * 32)
        assert replaced == ANNA
        assert jam.room.lost(jam.now_us, ANNA) == []
        assert jam.room.members[BERT].connected

    def test_also_to_a_full_room(self) -> None:
        jam = Simulation(Room("jam", "c10c", 0, max_members=1))
        token = jam.join().token
        jam.room.lost(jam.now_us, ANNA)
        assert jam.join(BERT, "anna", token).members[0].name == "anna"

    def test_a_wrong_token_opens_nothing(self, jam: Simulation) -> None:
        with pytest.raises(Refused):
            jam.join(BERT, "anna", token="f" * 32)

    def test_who_says_goodbye_is_gone_at_once(self, jam: Simulation) -> None:
        jam.join(BERT, "bert")
        [out] = jam.room.leave(jam.now_us, BERT)
        assert isinstance(out.message, Members)
        assert [m.name for m in out.message.members] == ["anna"]
        assert jam.room.leave(jam.now_us, BERT) == []

    def test_nobody_is_lost_twice(self, jam: Simulation) -> None:
        assert jam.room.lost(jam.now_us, 99) == []
        jam.join(BERT, "bert", remote=True)
        assert jam.room.lost(jam.now_us, BERT) == []
        assert BERT not in jam.room.members


class TestTakeover:
    def theirs(self, **changes: object) -> Timeline:
        fields: dict[str, object] = {
            "origin_time_us": BEGIN_US - 60 * SECOND,
            "playing": True,
            "revision": 12,
            "epoch": 4,
            **changes,
        }
        return Timeline(**fields)  # type: ignore[arg-type]

    def test_a_fresh_room_goes_on_with_what_a_member_plays(self, jam: Simulation) -> None:
        timeline = self.theirs()
        jam.take(jam.room.handle(jam.now_us, ANNA, Takeover([timeline])))
        assert jam.room.chain.timelines == (timeline,)
        assert jam.syncs()[0][1].timeline == timeline
        assert not jam.join(BERT, "bert").fresh
        assert jam.command(Stop(id=1)).revision == 13
        jam.run(10 * SECOND)

    def test_its_bars_are_announced_from_now_on(self, jam: Simulation) -> None:
        jam.take(jam.room.handle(jam.now_us, ANNA, Takeover([self.theirs()])))
        jam.run(10 * SECOND)
        targets = [s.target_send_timestamp for _, s in jam.syncs()[1:]]
        assert targets == [BEGIN_US + n * 2 * SECOND for n in range(len(targets))]

    def test_everybody_hears_of_all_of_it(self, jam: Simulation) -> None:
        now = self.theirs()
        later = self.theirs(origin_time_us=BEGIN_US + SECOND, revision=13)
        jam.take(jam.room.handle(jam.now_us, ANNA, Takeover([later, now])))
        assert jam.room.chain.timelines == (now, later)
        assert {s.timeline.revision for _, s in jam.syncs()} == {12, 13}

    def test_a_room_with_a_timeline_refuses(self, playing: Simulation) -> None:
        with pytest.raises(Refused) as caught:
            playing.room.handle(playing.now_us, ANNA, Takeover([self.theirs()]))
        assert caught.value.code == "not_fresh"

    def test_a_remote_has_nothing_to_hand_over(self, jam: Simulation) -> None:
        jam.join(BERT, "bert", remote=True)
        with pytest.raises(Refused):
            jam.room.handle(jam.now_us, BERT, Takeover([self.theirs()]))

    @pytest.mark.parametrize(
        "changes",
        [
            {"origin_time_us": -(2**52)},
            {"origin_time_us": 2**52},
            {"origin_beats": 2**53},
            {"revision": 2**53},
            {"epoch": 2**53},
        ],
    )
    def test_what_nobody_can_have_played_is_refused(
        self, jam: Simulation, changes: dict[str, object]
    ) -> None:
        with pytest.raises(Refused):
            jam.room.handle(jam.now_us, ANNA, Takeover([self.theirs(**changes)]))
        assert jam.room.chain.revision == 0


def test_each_message_of_a_client_belongs_to_one_feature_or_to_the_host() -> None:
    room = Room("jam", "c10c", 8765)
    by_feature = [type for feature in room.features for type in feature.handlers()]
    hosts = [Hello, ClockProbe, Midi, SetPassword]
    assert Counter(by_feature + hosts) == Counter(get_args(ClientMessage))
