"""Who may change a room, and what the others are told."""

import pytest
from msgspec.structs import replace

from midipool.errors import InvalidValue, Refused
from midipool.messages import (
    ERROR_CODES,
    Mode,
    RoomMode,
    SetMode,
    SetTempo,
    Start,
    Stop,
    Takeover,
    decode_server,
    encode,
)
from midipool.timeline import Timeline

from .simulation import ANNA, BERT, CARL, NAMES, SECOND, Simulation

REMOTE, ACTING = 8, 9
STOP = Stop(id=7)


@pytest.fixture
def band() -> Simulation:
    """anna, bert, a remote that acts for nobody and one that acts for bert."""
    simulation = Simulation()
    for id in (ANNA, BERT):
        simulation.join(id, NAMES[id])
    simulation.room.members[ANNA].role = "player"  # hosts may set any mode: see TestHost
    simulation.join(REMOTE, "remote", remote=True)
    token = simulation.room.members[BERT].token
    simulation.join(ACTING, "remote", token=token, remote=True)
    return simulation


def mode(mode: Mode, leader: str | None = None) -> SetMode:
    return SetMode(id=5, mode=mode, leader=leader)


def refused(band: Simulation, command: Stop | SetMode | SetTempo, id: int) -> Refused:
    before = band.room.revision, band.room.authority
    with pytest.raises(Refused) as caught:
        band.room.handle(band.now_us, id, command)
    assert (band.room.revision, band.room.authority) == before
    assert caught.value.code in ERROR_CODES
    return caught.value


def shown(band: Simulation) -> tuple[object, object, object]:
    room = band.room.describe(band.now_us)
    return room["mode"], room["leader"], room["locked_by"]


class TestOpen:
    def test_a_new_room_is_open_to_everybody(self, band: Simulation) -> None:
        assert shown(band) == ("open", None, None)
        for id in (ANNA, BERT, REMOTE, ACTING):
            band.command(SetTempo(id=1, bpm=90 + id), id)

    def test_anybody_sets_another_mode(self, band: Simulation) -> None:
        ok = band.command(mode("leader", "anna"), REMOTE)
        assert ok.id == 5
        assert ok.target_send_timestamp == band.now_us
        assert shown(band) == ("leader", "anna", None)

    def test_only_a_member_can_lock_it(self, band: Simulation) -> None:
        assert refused(band, mode("locked"), REMOTE).code == "not_member"
        band.command(mode("locked"), ACTING)
        assert shown(band) == ("locked", None, "bert")

    def test_everybody_is_told(self, band: Simulation) -> None:
        band.command(mode("leader", "bert"))
        [told] = band.heard(RoomMode)
        assert told == RoomMode(mode="leader", leader="bert")
        assert decode_server(encode(told)) == told

    def test_who_joins_is_told(self, band: Simulation) -> None:
        assert band.join(CARL, "carl").mode == "open"
        band.command(mode("locked"))
        welcome = band.join(10, "dora")
        assert (welcome.mode, welcome.leader, welcome.locked_by) == ("locked", None, "anna")
        assert decode_server(encode(welcome)) == welcome

    @pytest.mark.parametrize(
        "command", [mode("leader"), mode("leader", "nobody"), mode("open", "anna")]
    )
    def test_a_leader_is_somebody_in_the_room(self, band: Simulation, command: SetMode) -> None:
        with pytest.raises(InvalidValue) as caught:
            band.command(command)
        assert caught.value.field == "leader"
        assert shown(band) == ("open", None, None)


class TestLeader:
    @pytest.fixture(autouse=True)
    def _bert_leads(self, band: Simulation) -> None:
        band.command(mode("leader", "bert"))

    def test_only_the_leader_changes_the_room(self, band: Simulation) -> None:
        band.command(Start(id=1), BERT)
        error = refused(band, STOP, ANNA)
        assert error.code == "not_leader"
        assert error.text == (
            "bert leads this room: ask bert to hand over (room URL mode leader NAME)"
        )

    def test_a_remote_of_the_leader_too(self, band: Simulation) -> None:
        band.command(Start(id=1), ACTING)
        assert refused(band, STOP, REMOTE).code == "not_leader"

    def test_it_hands_over(self, band: Simulation) -> None:
        assert refused(band, mode("open"), ANNA).code == "not_leader"
        band.command(mode("leader", "anna"), BERT)
        band.command(STOP, ANNA)
        assert refused(band, STOP, BERT).code == "not_leader"

    def test_while_it_is_away_nobody_takes_its_place(self, band: Simulation) -> None:
        band.take(band.room.lost(band.now_us, BERT))
        assert refused(band, mode("open"), ANNA).code == "not_leader"
        # Its shell still acts for it.
        band.command(STOP, ACTING)

    def test_once_it_has_left_any_member_sets_another_mode(self, band: Simulation) -> None:
        band.take(band.room.leave(band.now_us, BERT))
        error = refused(band, STOP, ANNA)
        assert (error.code, "has left" in error.text) == ("not_leader", True)
        assert refused(band, mode("open"), REMOTE).code == "not_member"
        # The remote acts for nobody any more.
        assert refused(band, mode("open"), ACTING).code == "not_member"
        band.command(mode("leader", "anna"), ANNA)
        band.command(STOP, ANNA)

    def test_so_when_its_place_is_kept_no_more(self, band: Simulation) -> None:
        band.take(band.room.lost(band.now_us, BERT))
        band.run(band.room.keep_us)
        band.command(mode("open"), ANNA)

    def test_it_leads_on_when_it_comes_back(self, band: Simulation) -> None:
        token = band.room.members[BERT].token
        band.take(band.room.lost(band.now_us, BERT))
        band.join(CARL, "bertie", token=token)
        assert shown(band) == ("leader", "bertie", None)
        assert band.heard(RoomMode)[-1].leader == "bertie"
        band.command(STOP, CARL)
        band.command(STOP, ACTING)


class TestLocked:
    @pytest.fixture(autouse=True)
    def _bert_locks(self, band: Simulation) -> None:
        band.command(mode("locked"), BERT)

    @pytest.mark.parametrize("id", [ANNA, BERT, REMOTE, ACTING])
    def test_nobody_changes_the_room(self, band: Simulation, id: int) -> None:
        error = refused(band, STOP, id)
        assert error.code == "locked"
        assert error.text.startswith("bert locked this room")

    def test_who_locked_it_opens_it(self, band: Simulation) -> None:
        assert refused(band, mode("open"), ANNA).code == "locked"
        assert refused(band, mode("open"), REMOTE).code == "locked"
        band.command(mode("open"), ACTING)
        band.command(STOP, REMOTE)

    def test_once_that_one_has_left_any_member_does(self, band: Simulation) -> None:
        band.take(band.room.leave(band.now_us, BERT))
        assert "has left" in refused(band, STOP, ANNA).text
        assert refused(band, mode("open"), REMOTE).code == "not_member"
        band.command(mode("open"), ANNA)

    def test_a_song_that_plays_plays_on(self, band: Simulation) -> None:
        band.command(mode("open"), BERT)
        band.command(Start(id=1), BERT)
        band.command(mode("locked"), BERT)
        sent = len(band.syncs())
        band.run(20 * SECOND)
        assert len(band.syncs()) > sent + 5


class TestRemotes:
    def test_one_hears_whom_it_acts_for(self, band: Simulation) -> None:
        token = band.room.members[ANNA].token
        assert band.join(20, "x", token=token, remote=True).acts_for == "anna"
        assert band.join(21, "x", token="f" * 32, remote=True).acts_for is None
        assert band.join(22, "x", remote=True).acts_for is None
        assert band.join(CARL, "carl").acts_for is None

    def test_a_remote_is_not_taken_for_the_member(self, band: Simulation) -> None:
        token = band.room.members[BERT].token
        band.take(band.room.lost(band.now_us, BERT))
        replaced, _ = band.room.join(band.now_us, CARL, "bert", token, False, "e" * 32)
        assert replaced is None
        assert ACTING in band.room.members
        assert band.room.places.acting(ACTING) == "bert"

    def test_its_token_opens_no_place_when_the_member_is_gone(self, band: Simulation) -> None:
        token = band.room.members[BERT].token
        band.take(band.room.leave(band.now_us, BERT))
        band.join(CARL, "carl", token=token)
        assert band.room.members[CARL].token != token


class TestHost:
    @pytest.mark.parametrize("held", [mode("locked"), mode("leader", "bert")])
    def test_a_host_sets_another_mode_whoever_leads_or_locked(
        self, band: Simulation, held: SetMode
    ) -> None:
        band.room.members[ANNA].role = "host"
        band.command(held, BERT)
        assert refused(band, STOP, ANNA).code in ("locked", "not_leader")
        band.command(mode("open"), ANNA)
        band.command(STOP, ANNA)


class TestTakeover:
    def fresh(self, takeover: Takeover) -> Simulation:
        jam = Simulation()
        jam.join()
        jam.take(jam.room.handle(jam.now_us, ANNA, takeover))
        return jam

    def theirs(self, jam_us: int = 5_000 * SECOND) -> list[Timeline]:
        return [Timeline(origin_time_us=jam_us - SECOND, playing=True, revision=9, epoch=2)]

    def test_the_mode_outlives_the_server(self) -> None:
        jam = self.fresh(Takeover(self.theirs(), "leader", "bert"))
        assert shown(jam) == ("leader", "bert", None)
        assert jam.heard(RoomMode) == [RoomMode(mode="leader", leader="bert")]
        jam.join(BERT, "bert")
        jam.command(STOP, BERT)

    def test_a_leader_has_time_to_come_back(self) -> None:
        jam = self.fresh(Takeover(self.theirs(), "locked", None, "bert"))
        jam.run(jam.room.keep_us - 1)
        assert refused(jam, mode("open"), ANNA).code == "locked"
        jam.run(1)
        jam.command(mode("open"), ANNA)

    @pytest.mark.parametrize("wrong", ["leader", "locked"])
    def test_a_mode_without_its_name_is_refused(self, wrong: Mode) -> None:
        jam = Simulation()
        jam.join()
        with pytest.raises(InvalidValue):
            jam.room.handle(jam.now_us, ANNA, Takeover(self.theirs(), wrong))
        assert jam.room.revision == 0

    def test_a_room_with_a_mode_takes_nothing_over(self) -> None:
        jam = Simulation()
        jam.join()
        jam.command(mode("leader", "anna"))
        assert not jam.join(BERT, "bert").fresh
        with pytest.raises(Refused) as caught:
            jam.room.handle(jam.now_us, BERT, Takeover(self.theirs()))
        assert caught.value.code == "not_fresh"
        # So that members keep something to hand over, with the mode.
        assert jam.listened().revision == 1

    @pytest.mark.parametrize("held", [mode("locked"), mode("leader", "anna"), mode("vote")])
    def test_it_works_in_every_mode(self, held: SetMode) -> None:
        jam = self.fresh(Takeover(self.theirs(), held.mode, held.leader, "anna"))
        assert jam.room.chain.timelines == tuple(self.theirs())
        assert replace(jam.heard(RoomMode)[0], locked_by=None) == RoomMode(held.mode, held.leader)
