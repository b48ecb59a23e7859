"""Events of several senders in the one queue that a port has for notes."""

from hypothesis import given
from hypothesis import strategies as st

from midipool.midi_clock import MidiEvent
from midipool_client.sharing.note_lane import (
    BATCH_PAUSE_US,
    MARGIN_US,
    MAX_BATCH,
    MAX_WAITING,
    NoteLane,
)
from tests.client.sharing.note_port import NotePort

LATER = 10 * MARGIN_US


def on(time_us: int, key: int = 60) -> MidiEvent:
    return MidiEvent(time_us, bytes((0x90, key, 64)))


def off(time_us: int, key: int = 60) -> MidiEvent:
    return MidiEvent(time_us, bytes((0x80, key, 64)))


def test_nothing_to_play_is_no_batch() -> None:
    lane = NoteLane()
    assert lane.take_batch(0) is None
    assert lane.next_deadline() is None


def test_what_is_due_is_due_now() -> None:
    lane = NoteLane()
    lane.add([on(-500), off(0)])
    assert lane.take_batch(1000) == (None, [on(1000), off(1000)])


def test_an_event_in_front_of_others_takes_those_back_and_no_more() -> None:
    lane = NoteLane()
    lane.add([on(LATER, 1), on(LATER + 10, 2), on(LATER + 20, 3)])
    assert lane.take_batch(0) is not None
    lane.add([on(LATER + 10, 9)])
    discard_us, events = lane.take_batch(0) or (None, [])
    assert discard_us == LATER + 11
    assert events == [on(LATER + 10, 9), on(LATER + 20, 3)]


def test_what_may_have_been_played_is_not_taken_back() -> None:
    lane = NoteLane()
    lane.latency_us = 5_000
    lane.add([on(MARGIN_US + 4_999, 1), on(MARGIN_US + 5_000, 2)])
    lane.take_batch(0)
    lane.add([on(0, 9)])
    # The spooler plays in order, so the new one is no earlier than what stays in front of it.
    assert lane.take_batch(0) == (
        MARGIN_US + 5_000,
        [on(MARGIN_US + 4_999, 9), on(MARGIN_US + 5_000, 2)],
    )


def test_a_flood_is_handed_out_in_batches_that_the_spooler_can_take() -> None:
    port = NotePort()
    port.put([on(0, number % 128) for number in range(4 * MAX_BATCH)], 0)
    assert len(port.played) == MAX_BATCH
    assert port.lane.take_batch(BATCH_PAUSE_US - 1) is None
    while (now_us := port.lane.next_deadline()) is not None:
        port.turn(now_us)
    assert len(port.played) == 4 * MAX_BATCH
    assert port.played[-1].time_us == 3 * BATCH_PAUSE_US


def test_more_than_can_wait_is_dropped_and_the_port_is_silenced() -> None:
    port = NotePort()
    port.put([on(0, 60), MidiEvent(0, b"\xb0\x40\x7f")], 0)
    port.put([on(LATER, number % 128) for number in range(MAX_WAITING + 1)], 1)
    assert port.lane.overruns == 1
    port.turn(BATCH_PAUSE_US)
    assert not port.synthesizer.sounds
    assert port.lane.next_deadline() is None


def test_after_a_crash_nothing_hangs_on_what_is_behind_the_port() -> None:
    port = NotePort()
    port.put([on(0, 60), MidiEvent(0, b"\xb5\x40\x7f"), off(LATER, 60)], 0)
    assert port.synthesizer.sounds
    port.crash()
    port.turn(1000)
    assert not port.synthesizer.sounds


def test_it_moves_with_the_room_clock() -> None:
    lane = NoteLane()
    lane.add([on(LATER, 1), on(LATER + 10, 2)])
    lane.take_batch(0)
    lane.shift(1000)
    lane.add([on(LATER + 1005, 9)])
    assert lane.take_batch(1000) == (LATER + 1006, [on(LATER + 1005, 9), on(LATER + 1010, 2)])


steps = st.lists(
    st.tuples(
        st.integers(0, 40_000),
        st.lists(st.tuples(st.integers(-20_000, 200_000), st.integers(0, 127)), max_size=8),
    ),
    max_size=30,
)


@given(steps)
def test_everything_is_played_once_and_in_order_unless_it_came_too_late_for_that(
    steps: list[tuple[int, list[tuple[int, int]]]],
) -> None:
    port, now_us, given_in = NotePort(), 0, []
    for wait_us, ahead in steps:
        now_us += wait_us
        events = [on(now_us + ahead_us, key) for ahead_us, key in ahead]
        given_in += events
        port.put(events, now_us)
    port.turn(now_us + 1_000_000)
    assert sorted(e.data for e in port.played) == sorted(e.data for e in given_in)
    times = [e.time_us for e in port.played]
    assert times == sorted(times)
