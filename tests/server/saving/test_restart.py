"""A room comes back as it was, on the same clock or on another one."""

from collections.abc import Callable

import pytest

from midipool.errors import InvalidValue, Refused
from midipool.messages import (
    AddSong,
    HandSongs,
    LinkNodes,
    LoadRoom,
    LoadSong,
    RemoveSong,
    Retell,
    Say,
    SetMode,
    SetTempo,
    Start,
    Stop,
    Takeover,
)
from midipool.timeline import Timeline
from midipool_server.room import Room
from midipool_server.saving import room_state
from midipool_server.saving.room_state import RoomState, body_of, decode, state_of

from ..simulation import ANNA, BERT, CARL, SECOND, Simulation

WALL_US = 1_700_000_000 * SECOND


@pytest.fixture
def band() -> Simulation:
    band = Simulation(Room("jam", "c10c", 8765, unix_us=lambda room_us: WALL_US + room_us))
    band.join(ANNA, "anna")
    band.join(BERT, "bert")
    return band


def kept(band: Simulation) -> RoomState:
    body = body_of(band.room, band.now_us)
    return decode(state_of(band.room, body, band.now_us))


def killed(
    band: Simulation,
    state: RoomState | None = None,
    away_us: int = SECOND,
    clock: str = "c10c",
    unix_us: Callable[[int], int] | None = None,
    now_us: int | None = None,
) -> Simulation:
    """The server comes back; without a state with what is there now."""
    state = state or kept(band)
    room = Room("jam", clock, 8765, unix_us=unix_us or band.room.unix_us)
    back = Simulation(room, band.now_us + away_us if now_us is None else now_us)
    room_state.bring_back(room, state, back.now_us)
    back.take(room.poll(back.now_us))
    return back


def comes_back(back: Simulation, id: int, was: int, name: str) -> bool:
    """A member takes its place again; whether it may say what it plays."""
    return back.join(id, name, token=f"{was:032x}").fresh


def test_all_of_it_is_there_again(band: Simulation) -> None:
    band.command(SetTempo(id=1, bpm=132.5))
    band.command(Start(id=2))
    band.run(3 * SECOND)
    for add in ("Blue", "Red"):
        band.take(band.room.handle(band.now_us, ANNA, AddSong(id=3, name=add, bpm=90.0)))
    song = band.room.songs.book.songs[1].id
    band.take(band.room.handle(band.now_us, ANNA, LoadSong(id=4, song=song)))
    band.take(band.room.handle(band.now_us, ANNA, Say(5, "from the top")))
    band.command(SetMode(6, "leader", "bert"))
    band.take(
        band.room.handle(
            band.now_us, BERT, LinkNodes(id=8, source="anna", target="bert", gain_db=-6.0)
        )
    )
    load = b'{"midipool_room":1,"mine":1,"members":{"carl":{"mix":{"master_db":-3}}}}'
    band.take(band.room.handle(band.now_us, BERT, LoadRoom(7, load, 0)))
    before = band.room.describe(band.now_us)
    back = killed(band, away_us=0)
    assert back.room.floor.graph.kept() == band.room.floor.graph.kept()
    assert back.room.floor.graph.kept().rules
    there: dict[str, object] = {"members": [], "graph": {}, "access": {}}
    assert back.room.describe(back.now_us) | there == before | there
    assert body_of(back.room, back.now_us) == body_of(band.room, band.now_us)
    assert [m.name for m in back.room.places.members() if not m.connected] == ["anna", "bert"]
    assert back.room.floor.chat.lines == band.room.floor.chat.lines
    assert b'"mine":1' in back.room.documents.document(back.now_us)


def test_it_plays_on_in_phase_and_its_bars_are_announced(band: Simulation) -> None:
    band.command(Start(id=1))
    band.run(5 * SECOND)
    back = killed(band, away_us=7 * SECOND)
    back.run(4 * SECOND)
    assert back.timeline_at(back.now_us) == band.timeline_at(band.now_us)
    targets = [sync.target_send_timestamp for _, sync in back.syncs()]
    start_us = band.timeline_at(band.now_us).origin_time_us
    assert targets
    assert all((target - start_us) % (2 * SECOND) == 0 for target in targets)


def test_what_waits_happens_and_can_be_moved(band: Simulation) -> None:
    band.command(Start(id=1, count_in_bars=4))
    begins_us = band.room.chain.last.origin_time_us
    back = killed(band)
    comes_back(back, CARL, ANNA, "anna")
    back.command(Stop(id=2), CARL)
    back.run_to(begins_us + SECOND)
    assert not back.timeline_at(back.now_us).playing


def test_a_stranger_is_no_member_and_a_member_has_its_place(band: Simulation) -> None:
    band.command(Start(id=1))
    back = killed(band)
    assert back.join(CARL, "carl").fresh is False
    with pytest.raises(Refused, match="not in it"):
        back.room.handle(back.now_us, CARL, Takeover([Timeline(revision=9, mbpm=99_000)]))
    assert comes_back(back, 7, ANNA, "anna") is True
    assert back.room.places.names() == {"anna", "bert", "carl"}
    back.run(121 * SECOND)
    assert back.room.places.names() == {"anna", "carl"}


class TestWhoKnowsBetter:
    """A change that was not written yet is known by members; so is the phase on a new clock."""

    def test_a_newer_timeline_is_taken_over(self, band: Simulation) -> None:
        band.command(Start(id=1))
        old = kept(band)
        band.command(SetTempo(id=2, bpm=99))
        newer = list(band.room.chain.timelines)
        back = killed(band, old)
        assert comes_back(back, 7, ANNA, "anna")
        back.take(
            back.room.handle(back.now_us, 7, Takeover(newer, mode="locked", locked_by="anna"))
        )
        assert back.room.chain.last == newer[-1]
        assert back.room.authority.mode == "open"
        back.command(SetTempo(id=3, bpm=100), 7)
        assert back.room.revision == newer[-1].revision + 1

    def test_an_older_one_is_not_and_its_member_is_told(self, band: Simulation) -> None:
        band.command(Start(id=1))
        older = list(band.room.chain.timelines)
        band.command(SetTempo(id=2, bpm=99))
        back = killed(band)
        comes_back(back, 7, BERT, "bert")
        out = back.take(back.room.handle(back.now_us, 7, Takeover(older)))
        assert [o.to for o in out] == [7] * len(back.room.chain.timelines)
        assert [o.message.timeline for o in out] == list(back.room.chain.timelines)  # type: ignore[attr-defined]
        assert back.room.chain.last == band.room.chain.last

    def test_what_was_said_and_not_written_is_retold_in_its_place(self, band: Simulation) -> None:
        band.take(band.room.handle(band.now_us, ANNA, Say(1, "one")))
        old = kept(band)
        band.run(SECOND)
        band.take(band.room.handle(band.now_us, ANNA, Say(2, "two")))
        back = killed(band, old)
        comes_back(back, 7, ANNA, "anna")
        back.take(back.room.handle(back.now_us, 7, Retell(band.room.floor.chat.lines)))
        said = [line.text for line in back.room.floor.chat.lines if line.kind == "said"]
        assert said == ["one", "two"]

    def test_a_song_that_was_removed_does_not_come_back(self, band: Simulation) -> None:
        for name in ("Blue", "Red"):
            band.take(band.room.handle(band.now_us, ANNA, AddSong(id=1, name=name, bpm=90)))
        songs = list(band.room.songs.book.songs)
        band.run(200 * SECOND)
        band.take(band.room.handle(band.now_us, ANNA, RemoveSong(id=2, song=songs[0].id)))
        back = killed(band)
        comes_back(back, 7, ANNA, "anna")
        back.take(back.room.handle(back.now_us, 7, HandSongs(songs=songs)))
        assert [song.name for song in back.room.songs.book.songs] == ["Red"]

    def test_once_the_room_is_changed_nobody_does_any_more(self, band: Simulation) -> None:
        band.command(Start(id=1))
        back = killed(band)
        comes_back(back, 7, ANNA, "anna")
        back.command(SetTempo(id=2, bpm=99), 7)
        assert comes_back(back, 8, BERT, "bert") is False
        with pytest.raises(Refused, match="has a timeline"):
            back.room.handle(back.now_us, 8, Takeover([Timeline(revision=99)]))


class TestAnotherClock:
    """The machine was started anew, or the folder was taken to another one."""

    def test_times_follow_the_wall_clock(self, band: Simulation) -> None:
        band.command(Start(id=1))
        band.run(5 * SECOND)
        was_unix_us = band.room.unix_us(band.now_us)
        wall_us = WALL_US + band.now_us + 30 * SECOND
        back = killed(band, clock="0d1e", now_us=SECOND, unix_us=lambda us: us + wall_us)
        then_us = SECOND + was_unix_us - back.room.unix_us(SECOND)
        assert back.timeline_at(back.now_us).origin_time_us - then_us == (
            band.timeline_at(band.now_us).origin_time_us - band.now_us
        )

    def test_the_first_member_knows_better_and_the_next_does_not(self, band: Simulation) -> None:
        band.command(Start(id=1))
        back = killed(band, clock="0d1e", now_us=SECOND)
        comes_back(back, 7, ANNA, "anna")
        comes_back(back, 8, BERT, "bert")
        exact = [t.moved_by(123) for t in back.room.chain.timelines]
        back.take(back.room.handle(back.now_us, 7, Takeover(exact)))
        assert back.room.chain.last == exact[-1]
        also = [t.moved_by(1000) for t in back.room.chain.timelines]
        back.take(back.room.handle(back.now_us, 8, Takeover(also)))
        assert back.room.chain.last == exact[-1]


class TestDamage:
    @pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"midipool_state": 1}', b"[" * 999])
    def test_what_is_no_state_says_so(self, data: bytes) -> None:
        with pytest.raises(InvalidValue, match="is no room's"):
            decode(data)

    def test_a_newer_one_asks_for_an_update(self, band: Simulation) -> None:
        body = body_of(band.room, band.now_us)
        data = state_of(band.room, body, band.now_us)
        with pytest.raises(InvalidValue, match="update it"):
            decode(data.replace(b'"midipool_state":1', b'"midipool_state":2'))

    def test_a_feature_that_cannot_be_read_begins_anew_alone(
        self, band: Simulation, caplog: pytest.LogCaptureFixture
    ) -> None:
        band.take(band.room.handle(band.now_us, ANNA, AddSong(id=1, name="Blue", bpm=90)))
        band.command(SetTempo(id=2, bpm=99))
        data = state_of(band.room, body_of(band.room, band.now_us), band.now_us)
        state = decode(data.replace(b'"name":"Blue"', b'"name":""'))
        back = killed(band, state)
        assert "its songs begins anew" in caplog.text
        assert back.room.songs.book.songs == []
        assert back.room.chain.last.mbpm == 99_000
