"""The room as it will be when what is under way has happened."""

from msgspec.structs import replace

from midipool.daw.room_view import RoomView
from midipool.messages import SetTempo, Start, Stop
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

SECOND = 1_000_000
TOLD = TimelineChain((Timeline(revision=3, epoch=1),))


def view(now_us: int = SECOND) -> RoomView:
    room = RoomView(lead_us=200_000)
    room.told(TOLD, ours=False)
    room.advance(now_us)
    return room


def test_what_is_asked_for_is_expected_one_lead_time_ahead() -> None:
    room = view()
    commands = room.ask(SetTempo(id=0, bpm=97), Start(id=0, since=900_000))
    assert commands == [SetTempo(id=0, bpm=97), Start(id=0, since=900_000)]
    assert room.last.playing
    assert room.last.mbpm == 97_000
    assert room.last.origin_time_us == 1_200_000
    assert not room.chain.at(1_199_999).playing


def test_what_the_room_told_takes_the_place_of_what_was_expected() -> None:
    room = view()
    room.ask(SetTempo(id=0, bpm=97))
    room.ask(Start(id=0))
    done = replace(Timeline(mbpm=97_000), revision=4, origin_time_us=1_250_000)
    assert not room.told(TOLD.then(done), ours=True)
    assert room.last.playing
    started = replace(done, revision=5, epoch=2, playing=True, origin_time_us=1_260_000)
    room.told(TOLD.then(started), ours=True)
    assert room.chain == TOLD.then(started)


def test_what_is_refused_is_not_expected_any_more() -> None:
    room = view()
    room.ask(SetTempo(id=0, bpm=97), Start(id=0))
    room.refused(Start(id=7))
    assert not room.last.playing
    assert room.last.mbpm == 97_000


def test_what_is_never_answered_is_not_expected_for_ever() -> None:
    room = view()
    room.ask(Start(id=0))
    room.advance(4 * SECOND)
    assert room.chain == TOLD


def test_somebody_elses_change_is_told_from_ours_and_from_none() -> None:
    room = view()
    newer = TOLD.then(replace(Timeline(), revision=4, origin_time_us=1))
    assert not room.told(TOLD, ours=False)
    assert room.told(newer, ours=False)
    assert not room.told(newer, ours=False)
    assert room.told(TimelineChain((Timeline(revision=5, epoch=0),)), ours=False)


def test_too_many_commands_are_left_out_and_counted() -> None:
    room = view()
    asked = [room.ask(Stop(id=0)) for _ in range(50)]
    assert sum(map(len, asked)) == 20
    assert room.left_out == 30
    room.advance(2 * SECOND)
    assert room.ask(Stop(id=0))
