"""Invitations: forged, over, for another room, used up; and what they let in."""

import base64
import itertools
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidValue, Refused
from midipool.messages import Invitation, InvitationText, Invite, Revoke, Role
from midipool_server.access.invitations import Invited, Uses, opened, signed
from midipool_server.access.revoked import MOST_OF_A_ROOM, Revoked, meant

from .rooms import HOST, KEY, NOW_S, House, house, new_room

OTHER_KEY = bytes(32)
PLAIN = Invited("ticket", "jam", "player", NOW_S + 60, 2)


def refused(text: str, key: bytes | None = KEY, room: str = "jam", now_s: float = NOW_S) -> str:
    with pytest.raises(Refused) as caught:
        opened(text, key, room, now_s)
    assert caught.value.code == "bad_invitation"
    assert not text or text == "x" or text not in caught.value.text
    return caught.value.text


@given(
    st.builds(
        Invited,
        st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True),
        st.just("jam"),
        st.sampled_from(["host", "player", "listener"]),
        st.integers(NOW_S + 1, 2**40),
        st.none() | st.integers(1, 10_000),
    )
)
def test_what_was_signed_is_opened_as_it_was(invited: Invited) -> None:
    text = signed(invited, KEY)
    assert opened(text, KEY, "jam", NOW_S) == invited
    assert msgspec.convert(text, InvitationText) == text


def test_any_bit_that_is_another_is_found() -> None:
    text = signed(PLAIN, KEY)
    for n, char in itertools.product(range(len(text)), "Aa0_"):
        if text[n] not in (char, "."):
            forged = text[:n] + char + text[n + 1 :]
            assert "no invitation of this server" in refused(forged)


@pytest.mark.parametrize("text", ["", ".", "x", "x.y", "..", "🎵.x", "A" * 512])
def test_what_is_none_is_told(text: str) -> None:
    assert "no invitation of this server" in refused(text)


def test_a_payload_that_somebody_else_signed_or_nobody() -> None:
    payload = signed(PLAIN, KEY).partition(".")[0]
    promoted = json.dumps({"id": "x", "room": "jam", "role": "host", "until_s": 2**40})
    forged = base64.urlsafe_b64encode(promoted.encode()).rstrip(b"=").decode()
    for text in (f"{payload}.", f"{forged}.{signed(PLAIN, KEY).partition('.')[2]}"):
        refused(text)
    refused(signed(PLAIN, OTHER_KEY))
    refused(signed(PLAIN, KEY), None)


def test_it_is_for_one_room_and_for_a_time() -> None:
    text = signed(PLAIN, KEY)
    assert "another room" in refused(text, room="jam2")
    assert opened(text, KEY, "jam", NOW_S + 59.9) == PLAIN
    assert "out of date" in refused(text, now_s=NOW_S + 60)


class TestUses:
    def test_people_count_and_not_how_often_they_come(self) -> None:
        uses = Uses()
        uses.use(PLAIN, None, "anna1", NOW_S)
        uses.use(PLAIN, "anna1", "anna2", NOW_S)
        uses.use(PLAIN, None, "bert", NOW_S)
        uses.check(PLAIN, "anna2")
        uses.check(PLAIN, "bert")
        for other in (None, "anna1", "carl"):
            with pytest.raises(Refused, match="used up"):
                uses.check(PLAIN, other)

    def test_what_is_over_is_forgotten(self) -> None:
        uses = Uses()
        uses.use(PLAIN, None, "anna", NOW_S)
        later = Invited("other", "jam", "player", NOW_S + 3600, 1)
        uses.use(later, None, "bert", NOW_S + 61)
        assert set(uses.holders) == set(uses.until_s) == {"other"}

    def test_without_a_number_nothing_is_kept(self) -> None:
        uses = Uses()
        uses.use(Invited("any", "jam", "player", NOW_S + 60), None, "anna", NOW_S)
        assert uses == Uses()


class TestRevoked:
    def test_one_that_was_taken_back_is_told_and_others_hold(self) -> None:
        revoked = Revoked()
        revoked.take_back("jam", "ticket", NOW_S + 60, NOW_S)
        with pytest.raises(Refused, match="taken back") as caught:
            revoked.check(PLAIN)
        assert caught.value.code == "bad_invitation"
        revoked.check(msgspec.structs.replace(PLAIN, id="other"))
        revoked.check(msgspec.structs.replace(PLAIN, room="trio"))

    def test_what_is_over_is_forgotten_and_there_are_not_too_many(self) -> None:
        revoked = Revoked()
        for number in range(MOST_OF_A_ROOM):
            revoked.take_back("jam", f"t{number}", NOW_S + 60, NOW_S)
        revoked.take_back("jam", "t0", NOW_S + 60, NOW_S)
        with pytest.raises(Refused, match=f"{MOST_OF_A_ROOM} invitations"):
            revoked.take_back("jam", "more", NOW_S + 60, NOW_S)
        revoked.take_back("jam", "more", NOW_S + 120, NOW_S + 60)
        assert revoked.until_s == {"jam": {"more": NOW_S + 120}}

    def test_it_is_meant_by_its_text_or_its_id(self) -> None:
        assert meant(signed(PLAIN, KEY), KEY, "jam", NOW_S) == ("ticket", PLAIN.until_s)
        assert meant("ticket", KEY, "jam", NOW_S)[0] == "ticket"
        with pytest.raises(Refused, match="another room"):
            meant(signed(PLAIN, KEY), KEY, "trio", NOW_S)
        with pytest.raises(InvalidValue):
            meant("x" * 33, KEY, "jam", NOW_S)

    @pytest.mark.parametrize("whole", [True, False])
    def test_a_host_takes_one_back(self, whole: bool) -> None:
        jam = house()
        [made] = [m for m in jam.say(HOST, Invite(id=7)) if isinstance(m, Invitation)]
        invited = opened(made.text, KEY, "jam", NOW_S)
        jam.does(HOST, Revoke(id=8, invitation=made.text if whole else invited.id))
        with pytest.raises(Refused, match="taken back"):
            jam.room.access.means.revoked.check(invited)
        last = jam.room.access.events[-1]
        assert (last.what, last.by, last.invitation) == ("revoked", "hanna", invited.id)


class TestAtTheDoor:
    @pytest.mark.parametrize("role", ["host", "player", "listener"])
    def test_it_lets_in_as_what_it_says(self, role: Role) -> None:
        jam = house()
        assert jam.invited(5, role) is not None
        assert jam.role(5) == role

    def test_it_is_used_up(self) -> None:
        jam = house()
        jam.invited(5, uses=1)
        with pytest.raises(Refused, match="was for once, and is used up"):
            jam.invited(6, uses=1)
        assert 6 not in jam.room.members

    def test_who_was_in_by_it_comes_in_again_though_its_place_is_gone(self) -> None:
        jam = house()
        welcome = jam.invited(5, uses=1)
        assert welcome is not None
        jam.take(jam.room.leave(jam.now_us, 5))
        again = jam.invited(6, uses=1, token=welcome.token)
        assert again is not None
        with pytest.raises(Refused, match="used up"):
            jam.invited(7, uses=1, token="beef")

    def test_whose_client_was_killed_takes_its_place_again_by_its_name(self) -> None:
        jam = house()
        jam.invited(5, uses=1)
        jam.take(jam.room.lost(jam.now_us, 5))
        with pytest.raises(Refused, match="used up"):
            jam.invited(6, uses=1)
        jam.room.members[5].name = "m6"
        assert jam.invited(6, uses=1) is not None

    def test_who_was_invited_as_a_player_is_never_made_host_by_itself(self) -> None:
        jam = House(new_room())
        jam.invited(5)
        jam.invited(6, "listener")
        assert (jam.role(5), jam.role(6)) == ("player", "listener")
        jam.invited(7, "host")
        jam.take(jam.room.leave(jam.now_us, 7))
        assert (jam.role(5), jam.role(6)) == ("player", "listener")

    def test_a_host_makes_one(self) -> None:
        jam = house()
        said = jam.say(HOST, Invite(id=7, role="listener", hours=1, uses=3))
        [invitation] = [m for m in said if isinstance(m, Invitation)]
        assert invitation.id == 7
        invited = opened(invitation.text, KEY, "jam", NOW_S)
        assert invited == Invited("id1", "jam", "listener", NOW_S + 3600, 3)
