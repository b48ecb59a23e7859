"""Messages of one sender that wait for their time."""

from midipool.messages import SetTempo, Stop
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.sharing.note_schedule import NoteSchedule
from midipool_client.sharing.song_place import bars_later
from tests.midipool.strategies import conduct

ON, OFF, BEND = b"\x90\x3c\x40", b"\x80\x3c\x40", b"\xe0\x00\x50"
SECOND = 1_000_000
PLAYING = TimelineChain((Timeline(playing=True),))
FOREVER = 2**60


def test_messages_come_when_they_are_due_and_in_the_order_in_which_they_were_added() -> None:
    schedule = NoteSchedule()
    schedule.add(BEND, 20)
    schedule.add(ON, 10)
    schedule.add(OFF, 20)
    assert schedule.next_us() == 10
    assert schedule.release(19) == [(10, ON)]
    assert schedule.release(20) == [(20, BEND), (20, OFF)]
    assert schedule.next_us() is None


def test_a_note_does_not_end_before_it_begins() -> None:
    schedule = NoteSchedule()
    schedule.add(ON, 10)
    schedule.add(OFF, 5)
    assert schedule.release(FOREVER) == [(10, ON), (10, OFF)]


def test_a_note_ends_before_it_begins_again() -> None:
    schedule = NoteSchedule()
    for data, due_us in [(ON, 10), (OFF, 30), (ON, 20), (OFF, 40)]:
        schedule.add(data, due_us)
    assert schedule.release(FOREVER) == [(10, ON), (20, OFF), (20, ON), (40, OFF)]


def test_several_changes_of_tempo_count_even_if_they_are_forgotten_at_once() -> None:
    schedule = NoteSchedule()
    place = bars_later(PLAYING, 0, 1)
    assert place is not None
    schedule.follow(PLAYING, 0)
    schedule.add(ON, place.time_us, place)
    chain = conduct(PLAYING, SetTempo(id=1, bpm=60.0), 500_000)
    chain = conduct(chain, SetTempo(id=1, bpm=240.0), 1_500_000)
    schedule.follow(chain, 100_000)
    schedule.follow(chain.since(1_600_000), 1_600_000)
    # A beat at 120 BPM, one at 60, and two at 240.
    assert schedule.release(FOREVER) == [(2_000_000, ON)]


def test_when_the_song_stops_first_only_notes_are_left_out() -> None:
    schedule = NoteSchedule()
    place = bars_later(PLAYING, 0, 1)
    assert place is not None
    schedule.follow(PLAYING, 0)
    for data in (ON, BEND, OFF):
        schedule.add(data, place.time_us, place)
    schedule.follow(conduct(PLAYING, Stop(id=1), SECOND), 0)
    assert schedule.release(FOREVER) == [(SECOND, BEND), (SECOND, OFF)]


def test_what_is_cleared_never_comes() -> None:
    schedule = NoteSchedule()
    schedule.add(ON, 10)
    schedule.clear()
    schedule.add(OFF, 5)
    assert schedule.release(FOREVER) == [(5, OFF)]
