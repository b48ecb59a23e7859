"""What hosts do: what becomes of it, who hears of it, and what is refused."""

import pytest

from midipool import messages as m
from midipool.errors import InvalidDatagram, Refused
from midipool.media_datagram import KEY_SIZE, MediaHeader, MediaKind
from midipool.messages import MediaKey
from midipool_native import media
from midipool_server.access.state import Entry

from .rooms import HOST, LISTENER, PLAYER, House, house

SOURCE = MediaKind.SOURCE
REMOVALS = [m.Kick(id=1, member="paul"), m.Ban(id=1, member="paul")]


@pytest.fixture
def jam() -> House:
    return house()


def refused(jam: House, message: m.Message, id: int = HOST) -> Refused:
    with pytest.raises(Refused) as caught:
        jam.say(id, message)
    return caught.value


class TestRemoval:
    @pytest.mark.parametrize("message", REMOVALS)
    def test_the_others_get_another_key_that_it_never_hears(
        self, jam: House, message: m.Message
    ) -> None:
        assert jam.room.media is not None
        before = jam.room.media.key
        jam.does(HOST, message)
        keys = [(o.to, o.message) for _, o in jam.sent if isinstance(o.message, MediaKey)]
        assert sorted(to for to, _ in keys if to is not None) == [HOST, LISTENER]
        [new] = {bytes.fromhex(key.key) for _, key in keys}
        assert new == jam.room.media.key != before
        assert len(new) == KEY_SIZE

    @pytest.mark.parametrize("message", REMOVALS)
    def test_what_is_said_from_then_on_it_cannot_open_and_what_it_says_nobody(
        self, jam: House, message: m.Message
    ) -> None:
        assert jam.room.media is not None
        its_key, its_sender = jam.room.media.key, jam.room.members[PLAYER].sender
        jam.does(HOST, message)
        new_id = jam.room.media.key_id
        later = media.seal(jam.room.media.key, MediaHeader(SOURCE, new_id, 1, 1, 0), b"later")
        forged = media.seal(its_key, MediaHeader(SOURCE, new_id, its_sender, 9, 0), b"hello")
        for key, datagram in ((its_key, later), (jam.room.media.key, forged)):
            with pytest.raises(InvalidDatagram):
                media.open_sealed(key, datagram)

    @pytest.mark.parametrize("message", REMOVALS)
    def test_it_is_told_why_and_its_shells_go_too(self, jam: House, message: m.Message) -> None:
        jam.come(8, "desk", jam.room.members[PLAYER].token, remote=True)
        jam.say(HOST, m.Kick(id=1, member="paul", reason="too loud"))
        assert jam.closed() == dict.fromkeys((PLAYER, 8), "hanna put you out of the room: too loud")
        assert PLAYER not in jam.room.members

    def test_a_listener_who_leaves_changes_the_key_too(self, jam: House) -> None:
        assert jam.room.media is not None
        before = jam.room.media.key
        jam.take(jam.room.leave(jam.now_us, LISTENER))
        assert jam.room.media.key != before

    def test_who_was_put_out_comes_back_as_anybody(self, jam: House) -> None:
        jam.does(HOST, m.GiveRole(id=1, member="paul", role="host"))
        token = jam.room.members[PLAYER].token
        jam.does(HOST, m.Kick(id=2, member="paul"))
        jam.come(5, "paul", token)
        assert jam.role(5) == "player"

    @pytest.mark.parametrize(
        ("name", "address", "uses_token"),
        [("paul", "198.51.100.7", False), ("x", "192.0.2.2", False), ("x", "", True)],
    )
    def test_who_is_banned_stays_out_by_name_address_and_token(
        self, jam: House, name: str, address: str, uses_token: bool
    ) -> None:
        token = jam.room.members[PLAYER].token
        jam.does(HOST, m.Ban(id=1, member="paul"))
        with pytest.raises(Refused) as caught:
            jam.come(5, name, token if uses_token else "", entry=Entry(address))
        assert caught.value.code == "banned"
        assert jam.door(HOST).banned == ["paul"]
        jam.does(HOST, m.Unban(id=2, member="paul"))
        assert jam.door(HOST).banned == []
        assert jam.come(5, name, token if uses_token else "", entry=Entry(address)) is not None

    def test_an_address_that_others_have_too_is_not_banned(self, jam: House) -> None:
        jam.come(5, "nick", entry=Entry("192.0.2.1"))
        jam.does(HOST, m.Ban(id=1, member="nick"))
        assert jam.come(6, "nora", entry=Entry("192.0.2.1")) is not None

    @pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", ""])
    def test_nor_is_this_machine(self, jam: House, address: str) -> None:
        jam.come(5, "nick", entry=Entry(address))
        jam.does(HOST, m.Ban(id=1, member="nick"))
        assert jam.come(6, "nora", entry=Entry(address)) is not None

    def test_of_ipv6_what_one_person_has_is_banned(self, jam: House) -> None:
        jam.come(5, "nick", entry=Entry("2001:db8:1:2::7"))
        jam.does(HOST, m.Ban(id=1, member="nick"))
        with pytest.raises(Refused, match="banned"):
            jam.come(6, "nora", entry=Entry("2001:db8:1:2:3:4:5:6"))
        assert jam.come(7, "nils", entry=Entry("2001:db8:1:3::7")) is not None

    def test_who_waits_can_be_banned(self, jam: House) -> None:
        jam.does(HOST, m.SetDoor(id=1, door="ask"))
        jam.come(5, "nick", entry=Entry("192.0.2.77"))
        jam.does(HOST, m.Ban(id=2, member="nick"))
        assert jam.closed() == {5: "a host of the room has banned you"}
        with pytest.raises(Refused, match="banned"):
            jam.come(6, "other", entry=Entry("192.0.2.77"))

    @pytest.mark.parametrize("message", [m.Kick(id=1, member="hanna"), m.Ban(id=1, member="hanna")])
    def test_nobody_puts_itself_out(self, jam: House, message: m.Message) -> None:
        assert "yourself" in refused(jam, message).text

    def test_what_concerns_nobody_is_told(self, jam: House) -> None:
        for message in (
            m.Kick(id=1, member="nick"),
            m.Mute(id=1, member="nick"),
            m.GiveRole(id=1, member="nick", role="host"),
        ):
            assert refused(jam, message).code == "no_such_member"
        assert refused(jam, m.Unban(id=1, member="nick")).code == "no_such_ban"


class TestMute:
    def test_the_relay_has_to_know_and_everybody_does(self, jam: House) -> None:
        assert jam.room.media is not None
        before = jam.room.media.version
        jam.does(HOST, m.Mute(id=1, member="paul"))
        assert jam.room.media.version > before
        assert jam.room.members[PLAYER].silent
        assert m.MemberAccess("paul", "player", True) in jam.access().members
        jam.does(HOST, m.Mute(id=2, member="paul", muted=False))
        assert not jam.room.members[PLAYER].silent

    def test_twice_is_said_once(self, jam: House) -> None:
        jam.does(HOST, m.Mute(id=1, member="paul"))
        count = len(jam.heard(m.Access))
        jam.does(HOST, m.Mute(id=2, member="paul"))
        assert len(jam.heard(m.Access)) == count


class TestRole:
    def test_the_room_keeps_a_host(self, jam: House) -> None:
        last = m.GiveRole(id=1, member="hanna", role="player")
        assert refused(jam, last).code == "last_host"
        jam.does(HOST, m.GiveRole(id=2, member="paul", role="host"))
        jam.does(HOST, last)
        assert (jam.role(HOST), jam.role(PLAYER)) == ("player", "host")
        assert refused(jam, m.Kick(id=3, member="lisa")).code == "not_host"

    def test_a_listener_is_silent_for_the_relay_and_a_player_is_not(self, jam: House) -> None:
        assert jam.room.members[LISTENER].silent
        jam.does(HOST, m.GiveRole(id=1, member="lisa", role="player"))
        assert not jam.room.members[LISTENER].silent
        jam.does(LISTENER, m.Start(id=1))


def test_an_operator_who_was_invited_as_host_needs_not_be_a_member(jam: House) -> None:
    from midipool_server.access.invitations import Invited

    invited = Invited("ticket", "jam", "host", 2**40)
    jam.come(8, "desk", remote=True, entry=Entry("", invited=invited))
    jam.does(8, m.Kick(id=1, member="paul"))
    assert jam.closed() == {PLAYER: "the operator put you out of the room"}


def test_who_did_what_is_written_down_and_no_secret(jam: House) -> None:
    jam.does(HOST, m.SetDoor(id=1, door="ask"))
    jam.come(5, "nick", "feed", entry=Entry("192.0.2.77"))
    jam.does(HOST, m.Admit(id=2, member="nick"))
    jam.does(HOST, m.Mute(id=3, member="nick"))
    jam.does(HOST, m.GiveRole(id=4, member="nick", role="listener"))
    jam.does(HOST, m.Kick(id=5, member="nick", reason="late"))
    jam.does(HOST, m.Ban(id=6, member="paul"))
    jam.say(HOST, m.Invite(id=7))
    events = jam.room.access.events
    told = [(e.what, e.name, e.by) for e in events if e.by]
    assert told == [
        ("door", "", "hanna"),
        ("muted", "nick", "hanna"),
        ("role", "nick", "hanna"),
        ("kicked", "nick", "hanna"),
        ("banned", "paul", "hanna"),
        ("invitation", "", "hanna"),
    ]
    admitted = [e for e in events if e.what == "admitted" and e.name == "nick"]
    assert [(e.address, e.how, e.role) for e in admitted] == [("192.0.2.77", "by hanna", "player")]
    text = repr(events)
    assert jam.room.media is not None
    for secret in ("feed", jam.room.media.key.hex(), jam.room.members[HOST].token):
        assert secret not in text
