"""Who comes in, who waits, who does not; and as what."""

import pytest

from midipool import messages as m
from midipool.errors import Refused
from midipool.messages import ERROR_CODES
from midipool_server.access.passwords import hashed
from midipool_server.access.state import AccessState, Entry, Granted, digest_of

from .rooms import HOST, LISTENER, PLAYER, REMOTE, House, house, new_room

SECRET = hashed("open sesame", b"salt" * 4)
KNOWS = Entry("10.0.0.9", SECRET)


def refused(jam: House, id: int, entry: Entry = Entry(), token: str = "") -> str:  # noqa: B008
    before = dict(jam.room.members)
    with pytest.raises(Refused) as caught:
        jam.come(id, token=token, entry=entry)
    assert caught.value.code in ERROR_CODES
    assert jam.room.members == before
    return caught.value.code


class TestRoles:
    def test_who_comes_first_is_the_host_and_the_others_are_players(self) -> None:
        jam = house()
        assert [jam.role(id) for id in (HOST, PLAYER)] == ["host", "player"]
        assert jam.access().members[0] == m.MemberAccess("hanna", "host", False)

    def test_when_the_last_host_has_left_the_player_who_came_first_is_one(self) -> None:
        jam = house()
        jam.come(5)
        jam.take(jam.room.lost(jam.now_us, HOST))
        assert jam.role(PLAYER) == "player"
        jam.run(jam.room.keep_us)
        assert (jam.role(PLAYER), jam.role(LISTENER), jam.role(5)) == ("host", "listener", "player")

    def test_by_its_token_a_host_is_one_again_by_its_name_alone_it_is_not(self) -> None:
        jam = house()
        token = jam.room.members[HOST].token
        jam.does(HOST, m.GiveRole(id=1, member="paul", role="host"))
        jam.take(jam.room.lost(jam.now_us, HOST))
        welcome = jam.come(5, "hanna")
        assert welcome is not None
        assert welcome.token != token
        assert jam.role(5) == "player"
        jam.take(jam.room.lost(jam.now_us, 5))
        jam.come(6, "hanna", welcome.token)
        assert jam.role(6) == "player"

    def test_a_host_comes_back_after_long_and_is_host(self) -> None:
        jam = house()
        token = jam.room.members[HOST].token
        jam.take(jam.room.leave(jam.now_us, HOST))
        jam.come(5, "hanna", token)
        assert [jam.role(id) for id in (PLAYER, 5)] == ["host", "host"]

    def test_a_listener_is_one_again_and_stays_muted(self) -> None:
        jam = house()
        jam.does(HOST, m.Mute(id=1, member="lisa"))
        jam.take(jam.room.lost(jam.now_us, LISTENER))
        jam.come(5, "lisa")
        assert jam.role(5) == "listener"
        assert jam.room.members[5].muted

    def test_who_is_muted_stays_so_under_its_name(self) -> None:
        jam = house()
        jam.does(HOST, m.Mute(id=1, member="paul"))
        jam.take(jam.room.leave(jam.now_us, PLAYER))
        jam.come(5, "paul")
        assert jam.room.members[5].muted


class TestPassword:
    def test_without_it_nobody_gets_in_but_who_has_a_place(self) -> None:
        jam = House(new_room(AccessState(SECRET)))
        assert refused(jam, 1) == "password_needed"
        assert refused(jam, 1, Entry("", hashed("other", b"salt" * 4))) == "password_needed"
        welcome = jam.come(1, entry=KNOWS)
        assert welcome is not None
        assert jam.come(2, "hanna", welcome.token) is not None
        assert jam.access().has_password

    def test_a_remote_needs_it_too_unless_it_acts_for_a_member(self) -> None:
        jam = House(new_room(AccessState(SECRET)))
        jam.come(1, entry=KNOWS)
        token = jam.room.members[1].token
        with pytest.raises(Refused):
            jam.come(2, "desk", remote=True)
        assert jam.come(3, "desk", token, remote=True) is not None
        assert jam.come(4, "desk", remote=True, entry=KNOWS) is not None

    def test_strangers_see_little_of_such_a_room(self) -> None:
        jam = House(new_room(AccessState(SECRET)))
        jam.come(1, entry=KNOWS)
        assert jam.room.describe_to_strangers(jam.now_us) == {
            "name": "jam",
            "players": 1,
            "private": True,
            "needed": "password",
        }

    def test_where_only_the_invited_get_in_a_room_with_a_password_takes_it(self) -> None:
        jam = House(new_room(invited_only=True))
        assert refused(jam, 1) == "invitation_needed"
        assert jam.invited(1) is not None
        assert refused(jam, 2) == "invitation_needed"
        assert House(new_room(AccessState(SECRET), True)).come(1, entry=KNOWS) is not None


class TestDoor:
    def test_locked_lets_in_nobody_new_and_everybody_back(self) -> None:
        jam = house()
        jam.does(HOST, m.SetDoor(id=1, door="locked"))
        assert refused(jam, 5) == "door_locked"
        token = jam.room.members[PLAYER].token
        jam.take(jam.room.lost(jam.now_us, PLAYER))
        assert jam.come(6, "paul", token) is not None
        assert jam.invited(7) is not None
        jam.does(HOST, m.SetDoor(id=2, door="open"))
        assert jam.come(8) is not None

    def test_who_waits_is_in_when_a_host_admits_it_and_was_nothing_before(self) -> None:
        jam = house()
        jam.does(HOST, m.SetDoor(id=1, door="ask"))
        key = jam.room.media
        assert key is not None
        assert jam.come(5, "nick") is None
        assert [o.message for _, o in jam.sent if o.to == 5] == [
            m.Waiting("wait until a host of the room lets you in")
        ]
        assert jam.door(HOST).waiting == ["nick"]
        with pytest.raises(Refused) as caught:
            jam.say(5, m.Start(id=1))
        assert caught.value.code == "waiting"
        jam.does(HOST, m.Admit(id=2, member="nick"))
        [welcome] = [
            o.message for _, o in jam.sent if o.to == 5 and isinstance(o.message, m.Welcome)
        ]
        assert welcome.media is not None
        assert jam.role(5) == "player"
        assert jam.door(HOST).waiting == []
        assert [member.name for member in jam.heard(m.Members)[-1].members][-1] == "nick"

    def test_who_is_turned_away_goes_and_is_told_why(self) -> None:
        jam = house()
        jam.does(HOST, m.SetDoor(id=1, door="ask"))
        jam.come(5, "nick")
        jam.does(HOST, m.TurnAway(id=2, member="nick", reason="full"))
        assert jam.closed() == {5: "a host did not let you in: full"}
        with pytest.raises(Refused, match="nobody named 'nick' waits"):
            jam.say(HOST, m.Admit(id=3, member="nick"))

    def test_who_waits_and_goes_waits_no_more(self) -> None:
        jam = house()
        jam.does(HOST, m.SetDoor(id=1, door="ask"))
        jam.come(5, "nick")
        jam.take(jam.room.lost(jam.now_us, 5))
        assert jam.door(HOST).waiting == []

    def test_who_was_invited_does_not_wait_and_a_remote_cannot(self) -> None:
        jam = house()
        jam.does(HOST, m.SetDoor(id=1, door="ask"))
        assert jam.invited(5) is not None
        with pytest.raises(Refused):
            jam.come(6, "desk", remote=True)

    def test_so_many_wait_and_no_more(self) -> None:
        jam = house()
        jam.does(HOST, m.SetDoor(id=1, door="ask"))
        for id in range(10, 42):
            assert jam.come(id) is None
        assert refused(jam, 42) == "room_full"

    def test_when_everybody_has_left_who_waits_may_try_again(self) -> None:
        jam = house()
        jam.does(HOST, m.SetDoor(id=1, door="ask"))
        jam.come(5, "nick")
        for id in (HOST, PLAYER, LISTENER):
            assert not jam.room.empty
            jam.take(jam.room.leave(jam.now_us, id))
        assert jam.closed() == {5: "everybody has left the room"}
        assert jam.room.empty

    def test_only_hosts_hear_who_waits(self) -> None:
        jam = house()
        jam.does(HOST, m.SetDoor(id=1, door="ask"))
        jam.come(5, "nick")
        told = [o.to for _, o in jam.sent if isinstance(o.message, m.AtTheDoor)]
        assert set(told) == {HOST}
        jam.does(HOST, m.GiveRole(id=2, member="paul", role="host"))
        assert jam.door(PLAYER).waiting == ["nick"]


class TestKept:
    def test_what_is_kept_holds_in_a_room_that_begins_anew(self) -> None:
        jam = house()
        tokens = {id: jam.room.members[id].token for id in (HOST, PLAYER, LISTENER)}
        jam.does(HOST, m.Mute(id=1, member="paul"))
        jam.does(HOST, m.SetDoor(id=2, door="locked"))
        kept = jam.room.access.kept()
        assert kept.door == "locked"
        assert kept.granted == [
            Granted("hanna", digest_of(tokens[HOST]), "host"),
            Granted("paul", digest_of(tokens[PLAYER]), "player", True),
            Granted("lisa", digest_of(tokens[LISTENER]), "listener"),
        ]
        again = House(new_room(kept))
        assert refused(again, 9, token="beef") == "door_locked"
        again.come(PLAYER, token=tokens[PLAYER])
        assert again.role(PLAYER) == "player"  # the host is yet to come
        again.come(LISTENER, token=tokens[LISTENER])
        again.come(HOST, token=tokens[HOST])
        assert [again.role(id) for id in (HOST, PLAYER, LISTENER)] == ["host", "player", "listener"]
        assert again.room.members[PLAYER].muted

    def test_it_can_be_put_into_a_room_where_people_are(self) -> None:
        jam = house()
        kept = jam.room.access.kept()
        jam.does(HOST, m.GiveRole(id=1, member="lisa", role="player"))
        jam.does(HOST, m.SetDoor(id=1, door="ask"))
        jam.take(jam.room.access.restore(kept))
        assert (jam.role(LISTENER), jam.access().door) == ("listener", "open")

    def test_nobody_becomes_a_host_by_having_the_name_of_one(self) -> None:
        jam = house()
        jam.take(jam.room.access.restore(AccessState(granted=[Granted("paul", "f00d", "host")])))
        assert jam.role(PLAYER) == "player"
        assert REMOTE in jam.room.members
