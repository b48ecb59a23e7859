"""A member's life, with a simulated engine at its end and a device that listens to it."""

import itertools

import pytest
from msgspec.structs import replace

from midipool.messages import RoomMode, SetTempo, Takeover
from midipool.meter import BEAT, CLOCKS_PER_BEAT, CLOCKS_PER_SIXTEENTH
from midipool.midi_clock import CLOCK, CONTINUE, START, STOP, MidiEvent
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool.transport import apply
from midipool_client.follower import Follow

from ..midipool.device import Sequencer
from .simulation import MS, SECOND, Client

TICK_US = 60e6 / 120 / CLOCKS_PER_BEAT
SIXTEENTH_NS = 125 * MS


def playing(client: Client, ahead_us: int = 300_000, **changes: object) -> Timeline:
    fields = {
        "origin_time_us": client.room_us + ahead_us,
        "playing": True,
        "revision": 1,
        "epoch": 1,
    }
    return Timeline(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def joined() -> tuple[Client, Timeline]:
    """A client that has played along for some seconds since the start."""
    client = Client()
    client.welcome(Timeline())
    client.run(SECOND)
    start = playing(client)
    client.hear(start)
    client.run(5 * SECOND)
    return client, start


def heard(client: Client) -> Sequencer:
    assert client.engine is not None
    return Sequencer().take(client.engine.events())


def assert_steady(events: list[MidiEvent], tolerance_us: float = 3) -> None:
    """Clocks at 120 BPM: none missing, none doubled, and the phase unbroken."""
    times = [e.time_us for e in events if e.data == CLOCK]
    for number, time_us in enumerate(times):
        assert abs(time_us - times[0] - number * TICK_US) <= tolerance_us


def assert_in_phase(client: Client, timeline: Timeline, from_ns: int, until_ns: int) -> None:
    """The device hears every tick of the timeline, by the room's real clock, within 30 µs."""
    assert client.engine is not None
    device = heard(client)
    got = [h for h in device.heard if from_ns <= h.time_us * 1000 < until_ns]
    assert got
    for tick in got:
        due_us = timeline.time_at(-(-tick.tick * BEAT // CLOCKS_PER_BEAT))
        assert abs(client.room_at(tick.time_us * 1000) / 1000 - due_us) < 30
    ticks = [h.tick for h in got]
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))


class TestJoining:
    def test_a_start_is_heard_from_its_first_beat_on(self, joined: tuple[Client, Timeline]) -> None:
        client, start = joined
        assert client.engine is not None
        assert [data for _, data in client.engine.sent[:3]] == [b"\xf2\x00\x00", START, CLOCK]
        assert_in_phase(client, start, 0, client.now_ns)
        assert heard(client).heard[0].tick == 0
        assert_steady(client.engine.events())

    def test_nothing_is_played_before_the_clock_is_known(self) -> None:
        client = Client(probing=False)
        client.welcome(playing(client, -SECOND))
        client.run(SECOND)
        assert client.actions == []

    def test_a_late_joiner_comes_in_on_the_next_bar_line(self) -> None:
        client = Client()
        timeline = playing(client, ahead_us=-7_700_000)
        client.welcome(timeline)
        client.run(4 * SECOND)
        device = heard(client)
        bar_ticks = 4 * CLOCKS_PER_BEAT
        assert device.heard[0].tick == 4 * bar_ticks
        assert client.engine is not None
        assert [data for _, data in client.engine.sent[:2]] == [b"\xf2\x40\x00", CONTINUE]
        assert_in_phase(client, timeline, 0, client.now_ns)

    def test_a_change_that_is_repeated_is_nothing_new(
        self, joined: tuple[Client, Timeline]
    ) -> None:
        client, start = joined
        assert client.hear(start) == []

    def test_an_older_change_that_comes_late_is_ignored(
        self, joined: tuple[Client, Timeline]
    ) -> None:
        client, start = joined
        newer = replace(start, revision=5, mbpm=130_000, origin_time_us=client.room_us + 200_000)
        client.hear(newer)
        client.run(SECOND)
        assert client.hear(replace(start, revision=3)) == []
        assert client.follower.chain.last == newer


class TestTempo:
    @pytest.mark.parametrize("lead_us", [150_000, 30_000, 0, -60_000, -140_000])
    @pytest.mark.parametrize("bpm", [60.0, 131.7, 240.0])
    def test_however_late_it_comes_no_clock_is_lost_or_doubled(
        self, joined: tuple[Client, Timeline], lead_us: int, bpm: float
    ) -> None:
        client, start = joined
        at_us = client.room_us + lead_us
        changed = apply(start, SetTempo(id=1, bpm=bpm), at_us)
        client.hear(changed)
        client.run(4 * SECOND)
        device = heard(client)
        assert len(device.entered_us) == 1
        assert device.stopped_us == []
        assert [h.tick for h in device.heard] == list(range(len(device.heard)))
        assert_in_phase(client, changed, client.now_ns - 2 * SECOND, client.now_ns)


class TestServerAway:
    def test_the_flywheel_goes_on(self, joined: tuple[Client, Timeline]) -> None:
        client, start = joined
        client.follower.disconnected()
        client.probing = False
        client.run(60 * SECOND)
        assert_in_phase(client, start, client.now_ns - 50 * SECOND, client.now_ns)
        assert client.engine is not None
        assert_steady(client.engine.events())

    def test_back_on_the_same_clock_nothing_is_heard_of_it(
        self, joined: tuple[Client, Timeline]
    ) -> None:
        client, start = joined
        client.follower.disconnected()
        client.run(2 * SECOND)
        before = len(client.actions)
        client.welcome(start)
        assert [a for a in client.actions[before:] if isinstance(a, Follow)] == []
        client.run(SECOND)
        assert client.engine is not None
        assert_steady(client.engine.events())

    def test_what_changed_meanwhile_is_adopted_at_once(
        self, joined: tuple[Client, Timeline]
    ) -> None:
        client, start = joined
        client.follower.disconnected()
        client.run(2 * SECOND)
        changed = apply(start, SetTempo(id=1, bpm=140), client.room_us - SECOND // 1000)
        client.welcome(changed)
        assert client.follower.chain.last == changed
        client.run(4 * SECOND)
        assert_in_phase(client, changed, client.now_ns - SECOND, client.now_ns)

    @pytest.mark.parametrize("moment_us", range(0, 21_000, 1_500))
    def test_a_server_that_begins_anew_takes_our_timeline_over(
        self, joined: tuple[Client, Timeline], moment_us: int
    ) -> None:
        client, start = joined
        client.follower.disconnected()
        client.run(SECOND)
        client.now_ns += moment_us * 1000
        old_now_us = client.room_us
        client.room_at = lambda host_ns: host_ns - 90 * SECOND + 333
        client.welcome(Timeline(), clock_id="bb", fresh=True)
        assert client.sent == []
        client.now_ns -= client.now_ns % (5 * MS)
        client.run(SECOND)
        [takeover] = client.sent
        assert isinstance(takeover, Takeover)
        [timeline] = takeover.timelines
        shift_us = timeline.origin_time_us - start.origin_time_us
        assert abs(shift_us - (client.room_us - old_now_us - SECOND // 1000)) < 60_000
        assert timeline.moved_by(-shift_us) == start
        client.hear(timeline)
        client.run(2 * SECOND)
        assert client.engine is not None
        assert_steady(client.engine.events())
        assert_in_phase(client, timeline, client.now_ns - SECOND, client.now_ns)

    def test_another_member_may_be_faster(self, joined: tuple[Client, Timeline]) -> None:
        client, start = joined
        client.room_at = lambda host_ns: host_ns - 90 * SECOND
        client.welcome(Timeline(), clock_id="bb", fresh=True)
        client.run(SECOND)
        assert len(client.sent) == 1
        theirs = playing(client, -3_000_000, revision=0 + 1, epoch=1, mbpm=90_000)
        older = replace(theirs, revision=0)
        client.hear(older)
        assert client.follower.chain.last == older
        client.run(4 * SECOND)
        assert_in_phase(client, older, client.now_ns - SECOND // 2, client.now_ns)
        assert start.revision == 1

    def test_a_room_that_was_played_on_by_others_wins(
        self, joined: tuple[Client, Timeline]
    ) -> None:
        client, start = joined
        client.room_at = lambda host_ns: host_ns + 1_000 * SECOND
        theirs = playing(client, -2_345_678, mbpm=97_000, revision=9, epoch=0)
        client.welcome(theirs, clock_id="bb")
        client.run(4 * SECOND)
        assert client.follower.chain.last == theirs
        assert_in_phase(client, theirs, client.now_ns - SECOND, client.now_ns)
        assert client.sent == []
        assert start != theirs

    def test_a_newcomer_hands_nothing_over(self) -> None:
        client = Client()
        client.welcome(Timeline(), fresh=True)
        client.run(SECOND)
        assert client.sent == []

    def test_the_mode_is_handed_over_as_it_was_heard_last(
        self, joined: tuple[Client, Timeline]
    ) -> None:
        client, _ = joined
        client.follower.room_mode(RoomMode("locked", locked_by="anna"))
        client.follower.room_mode(RoomMode("leader", "bert"))
        for _ in range(2):  # The server may die again before it has heard of it.
            client.follower.disconnected()
            client.welcome(Timeline(), fresh=True)
            client.run(SECOND)
            takeover = client.sent.pop()
            assert isinstance(takeover, Takeover)
            assert (takeover.mode, takeover.leader, takeover.locked_by) == ("leader", "bert", None)
            assert client.follower.mode == RoomMode("open")

    def test_a_room_that_began_without_us_has_its_own_mode(
        self, joined: tuple[Client, Timeline]
    ) -> None:
        client, start = joined
        client.follower.room_mode(RoomMode("leader", "bert"))
        client.follower.disconnected()
        client.welcome(Timeline(), fresh=True)
        client.hear(replace(start, revision=3))
        client.follower.disconnected()
        client.welcome(Timeline(), fresh=True)
        client.run(SECOND)
        takeover = client.sent[-1]
        assert isinstance(takeover, Takeover)
        assert takeover.mode == "open"


class TestSleep:
    def test_a_device_that_slept_is_stopped_and_back_in_phase(
        self, joined: tuple[Client, Timeline]
    ) -> None:
        client, start = joined
        asleep_ns = 77 * SECOND + 7 * MS
        before = client.room_at
        client.room_at = lambda host_ns: before(host_ns) + asleep_ns
        client.do(client.follower.slept(asleep_ns, client.now_ns))
        woke_ns = client.now_ns
        client.run(2 * SECOND)
        assert client.engine is not None
        after = client.engine.events(woke_ns)
        assert after[0].data == STOP
        device = heard(client)
        assert device.entered_us[-1] * 1000 < woke_ns + SIXTEENTH_NS + 30 * MS
        assert_in_phase(client, start, woke_ns, client.now_ns)


class TestEngine:
    @pytest.mark.parametrize("away_ns", [0, 5 * MS, 300 * MS, 2 * SECOND, 10 * SECOND])
    def test_a_new_one_is_cued_within_a_sixteenth(
        self, joined: tuple[Client, Timeline], away_ns: int
    ) -> None:
        client, start = joined
        client.crash_engine()
        client.run(away_ns)
        client.start_engine()
        begin_ns = client.now_ns
        client.run(2 * SECOND)
        assert client.engine is not None
        first = [data for _, data in client.engine.sent[:4]]
        assert first[0] == STOP
        assert [first[1][0], first[2], first[3]] == [0xF2, CONTINUE, CLOCK]
        device = heard(client)
        assert device.heard[0].time_us * 1000 <= begin_ns + SIXTEENTH_NS + 30 * MS
        assert device.heard[0].tick % CLOCKS_PER_SIXTEENTH == 0
        assert_in_phase(client, start, begin_ns, client.now_ns)

    def test_one_that_died_before_a_stop_is_stopped(self, joined: tuple[Client, Timeline]) -> None:
        client, start = joined
        client.crash_engine()
        stop = Timeline(origin_time_us=client.room_us + 200_000, revision=2, epoch=2)
        client.hear(stop)
        client.run(SECOND)
        client.start_engine()
        client.run(SECOND)
        assert client.engine is not None
        assert [data for _, data in client.engine.sent] == [STOP]
        assert start.playing

    def test_the_first_one_joins_like_anybody(self) -> None:
        client = Client(engine=None)
        timeline = playing(client, ahead_us=-7_700_000)
        client.welcome(timeline)
        client.run(SECOND)
        client.start_engine(lost=False)
        client.run(4 * SECOND)
        device = heard(client)
        assert device.stopped_us == []
        assert device.heard[0].tick % (4 * CLOCKS_PER_BEAT) == 0

    def test_one_that_works_ahead_gets_nothing_twice(self, joined: tuple[Client, Timeline]) -> None:
        client, start = joined
        client.output.engine_latency_us = 20_000
        spool = client.output.follow(client.follower.chain, client.room_us, client.now_ns)
        assert spool.discard_from_us is not None
        assert spool.discard_from_us >= client.room_us + 20_000
        assert all(time_us >= spool.discard_from_us for time_us, _ in spool.events)
        assert start.playing


def test_the_chain_of_a_client_does_not_grow(joined: tuple[Client, Timeline]) -> None:
    client, start = joined
    for number in range(2, 40):
        now = replace(start, origin_time_us=client.room_us + 150_000, revision=number)
        client.hear(now)
        client.run(200 * MS)
    assert len(client.follower.chain.timelines) <= 2
    assert isinstance(client.follower.chain, TimelineChain)
    revisions = [t.revision for t in client.follower.chain.timelines]
    assert all(a < b for a, b in itertools.pairwise(revisions))
