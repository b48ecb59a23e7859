"""What the engine is told."""

import itertools
from dataclasses import replace

from midipool.clock_map import ClockMap
from midipool.midi_clock import CLOCK, STOP
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.clock_keeper import ClockChange
from midipool_client.engine.messages import Spool
from midipool_client.ports.output import AHEAD_US, MARGIN_US, PortOptions, PortOutput
from midipool_native.spooler import DISCARD_ALL_US

SECOND = 1_000_000
CHAIN = TimelineChain((Timeline(playing=True, epoch=1, revision=1),))
NOW = 0
MAP = ClockMap(local_ns=0, room_ns=10**9)


def test_before_there_is_something_to_play_nothing_is_filled() -> None:
    assert PortOutput().fill(SECOND, NOW) is None


def test_it_plans_ahead_and_goes_on_from_there() -> None:
    output = PortOutput()
    first = output.follow(CHAIN, 0, NOW)
    assert first.discard_from_us == MARGIN_US
    assert AHEAD_US - 21_000 < first.events[-1][0] < AHEAD_US
    assert output.fill(0, NOW) is None
    more = output.fill(SECOND, NOW)
    assert more is not None
    times = [t for t, data in (*first.events, *more.events) if data == CLOCK]
    assert len(times) == len(set(times))
    assert max(b - a for a, b in itertools.pairwise(times)) <= 20_834


def test_what_the_engine_took_out_already_is_left_alone() -> None:
    output = PortOutput()
    output.engine_latency_us = 5_000
    spool = output.follow(CHAIN, SECOND, NOW)
    assert spool.discard_from_us == SECOND + MARGIN_US + 5_000
    assert all(t >= spool.discard_from_us for t, _ in spool.events)


def test_a_lost_device_gets_all_anew_and_is_stopped_first() -> None:
    output = PortOutput()
    output.follow(CHAIN, 0, NOW)
    spool = output.follow(CHAIN, SECOND, NOW, lost=True)
    assert spool.discard_from_us == DISCARD_ALL_US
    assert spool.events[0] == (SECOND + MARGIN_US, STOP)


def test_a_new_engine_gets_a_map() -> None:
    spool = PortOutput().engine_is_new(CHAIN, SECOND, NOW, MAP, lost=True)
    assert (spool.clock_map, spool.discard_from_us) == (MAP, DISCARD_ALL_US)


def test_a_better_map_is_all_that_a_probe_changes() -> None:
    output = PortOutput()
    output.follow(CHAIN, 0, NOW)
    assert output.clock_changed(ClockChange(MAP), NOW) == Spool(clock_map=MAP)


def test_a_map_that_says_the_same_is_not_told_again() -> None:
    output = PortOutput()
    output.engine_is_new(CHAIN, SECOND, NOW, MAP, lost=True)
    alike = replace(MAP, room_ns=MAP.room_ns + 1_000, drift=0.5e-6)
    assert output.clock_changed(ClockChange(alike), NOW) is None
    # Neither may small differences add up, nor one that only comes to be.
    for other in (replace(MAP, room_ns=MAP.room_ns + 3_000), replace(MAP, drift=3e-6)):
        assert output.clock_changed(ClockChange(other), NOW) == Spool(clock_map=other)


def test_another_clock_leaves_what_is_queued_where_it_is() -> None:
    plain, moved = PortOutput(), PortOutput()
    for output in (plain, moved):
        output.follow(CHAIN, 0, NOW)
    shift_us = 50 * SECOND
    shifted_map = ClockMap(local_ns=0, room_ns=10**9 + shift_us * 1000)
    spool = moved.clock_changed(ClockChange(shifted_map, shift_us=shift_us), NOW)
    assert spool == Spool(clock_map=MAP)
    assert moved.fill(SECOND + shift_us, NOW) == plain.fill(SECOND, NOW)
    later = moved.follow(CHAIN.moved_by(shift_us), 2 * SECOND + shift_us, NOW)
    assert later == plain.follow(CHAIN, 2 * SECOND, NOW)


def test_an_engine_that_is_new_after_that_gets_the_new_clock() -> None:
    output = PortOutput()
    output.follow(CHAIN, 0, NOW)
    output.clock_changed(ClockChange(MAP, shift_us=SECOND), NOW)
    spool = output.engine_is_new(CHAIN.moved_by(SECOND), 2 * SECOND, NOW, MAP, lost=True)
    assert spool.clock_map == MAP
    assert spool.events[0] == (2 * SECOND + MARGIN_US, STOP)


def test_the_click_is_switched_on_and_off_while_the_song_plays() -> None:
    output = PortOutput()
    assert output.follow(CHAIN, 0, NOW).click is None
    on = output.switch_click(True, CHAIN, 400_000, NOW)
    assert on is not None
    assert on.click is not None
    begins = [t for t, data in on.click.events if data[0] & 0xF0 == 0x90]
    assert begins[:2] == [500_000, 1_000_000]
    assert output.switch_click(True, CHAIN, 500_000, NOW) is None
    # In the middle of a note: it is ended, and nothing comes after it.
    off = output.switch_click(False, CHAIN, 500_000, NOW)
    assert off is not None
    assert off.click is not None
    assert off.click.discard_from_us == 500_000 + MARGIN_US
    assert [data[0] & 0xF0 for _, data in off.click.events] == [0x80]
    assert output.fill(SECOND, NOW) is not None
    assert not output.options.click
    again = output.switch_click(True, CHAIN, 3 * SECOND, NOW)
    assert again is not None
    assert again.click is not None
    assert again.click.events[0][0] == 3_500_000


def test_a_click_that_is_switched_on_before_the_clock_is_known_begins_with_the_song() -> None:
    output = PortOutput()
    assert output.switch_click(True, CHAIN, None, NOW) is None
    assert output.follow(CHAIN, 0, NOW).click is not None


def test_the_click_follows_the_graph() -> None:
    output = PortOutput(PortOptions(click=True))
    assert output.follow(CHAIN, 0, NOW).click is not None
    off = output.allow_click(False, CHAIN, 500_000, NOW)
    assert off is not None
    assert off.click is not None
    assert [data[0] & 0xF0 for _, data in off.click.events] == [0x80]
    assert output.options.click
    filled = output.fill(SECOND, NOW)
    assert filled is not None
    assert filled.click is None
    # Neither does a switch at the port bring it back.
    assert output.switch_click(False, CHAIN, SECOND, NOW) is None
    assert output.switch_click(True, CHAIN, SECOND, NOW) is None
    again = output.allow_click(True, CHAIN, 3 * SECOND, NOW)
    assert again is not None
    assert again.click is not None
    assert again.click.events[0][0] == 3_500_000
