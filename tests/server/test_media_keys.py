"""Who gets which key for audio, and when it changes; on virtual time."""

import itertools

import pytest

from midipool.errors import Refused
from midipool.messages import (
    MediaCandidate,
    MediaKey,
    MediaOffer,
    MediaOfferFrom,
    Members,
    MemberStatus,
)
from midipool_server.media_keys import RoomMedia
from midipool_server.room import Room

from .simulation import ANNA, BERT, CARL, SECOND, Simulation

FIRST, SECOND_KEY, THIRD = (bytes([n]) * 32 for n in (1, 2, 3))
OFFER = MediaOffer(
    to="bert",
    generation=4,
    ufrag="abcd",
    pwd="0123456789abcdefABCDEF",
    candidates=[MediaCandidate("host", "192.168.1.7", 4000, 9)],
)


@pytest.fixture
def jam() -> Simulation:
    """A room without anybody, on a server with a relay."""
    keys = iter((FIRST, SECOND_KEY, THIRD))
    media = RoomMedia(8766, 65535, lambda: next(keys), itertools.count(1))
    return Simulation(Room("jam", "c10c", 8765, media=media))


def senders(jam: Simulation) -> list[tuple[str, int | None]]:
    return [(m.name, m.sender) for m in jam.heard(Members)[-1].members]


def new_keys(jam: Simulation) -> list[tuple[int | None, int, str]]:
    return [
        (o.to, o.message.key_id, o.message.key)
        for _, o in jam.sent
        if isinstance(o.message, MediaKey)
    ]


def test_members_share_a_key_and_each_has_a_sender_id(jam: Simulation) -> None:
    anna, bert = jam.join().media, jam.join(BERT, "bert").media
    assert anna is not None
    assert bert is not None
    assert (anna.port, anna.key_id, anna.key) == (8766, 65535, FIRST.hex())
    assert (bert.key_id, bert.key) == (anna.key_id, anna.key)
    assert (
        senders(jam) == [("anna", anna.sender), ("bert", bert.sender)] == [("anna", 1), ("bert", 2)]
    )


def test_a_remote_gets_no_key(jam: Simulation) -> None:
    token = jam.join().token
    assert jam.join(BERT, "desk", token, remote=True).media is None
    jam.join(CARL, "carl")
    jam.take(jam.room.leave(jam.now_us, CARL))
    assert new_keys(jam) == [(ANNA, 0, SECOND_KEY.hex())]


def test_who_comes_back_has_another_sender_id_under_the_same_key(jam: Simulation) -> None:
    first = jam.join()
    jam.join(BERT, "bert")
    jam.take(jam.room.lost(jam.now_us, ANNA))
    again = jam.join(CARL, "anna", first.token).media
    assert again is not None
    assert (again.key, again.sender) == (FIRST.hex(), 3)
    assert not new_keys(jam)
    assert senders(jam) == [("bert", 2), ("anna", 3)]


def test_a_member_that_left_does_not_know_the_key_of_those_who_stay(jam: Simulation) -> None:
    for id, name in ((ANNA, "anna"), (BERT, "bert"), (CARL, "carl")):
        jam.join(id, name)
    jam.take(jam.room.leave(jam.now_us, BERT))
    assert new_keys(jam) == [(id, 0, SECOND_KEY.hex()) for id in (ANNA, CARL)]
    jam.take(jam.room.lost(jam.now_us, CARL))
    assert len(new_keys(jam)) == 2
    jam.run(121 * SECOND)  # Carl's place ends
    assert new_keys(jam)[2:] == [(ANNA, 1, THIRD.hex())]


def test_without_a_relay_there_is_no_key_and_no_sender_id() -> None:
    plain = Simulation()
    assert plain.join().media is None
    plain.join(BERT, "bert")
    assert senders(plain) == [("anna", None), ("bert", None)]
    plain.take(plain.room.leave(plain.now_us, BERT))
    assert not new_keys(plain)


def test_an_offer_reaches_the_one_it_is_for(jam: Simulation) -> None:
    jam.join()
    jam.join(BERT, "bert")
    jam.room.handle(jam.now_us, ANNA, MemberStatus(1.0, 1.0, 0.0, 0.0, 0.0))
    [passed] = jam.room.handle(jam.now_us, ANNA, OFFER)
    assert passed.to == BERT
    assert isinstance(passed.message, MediaOfferFrom)
    assert passed.message.name == "anna"
    for field in ("generation", "ufrag", "pwd", "candidates"):
        assert getattr(passed.message, field) == getattr(OFFER, field)


def test_an_offer_that_nobody_can_get_is_refused(jam: Simulation) -> None:
    jam.join()
    jam.join(BERT, "bert")
    jam.join(CARL, "desk", remote=True)
    with pytest.raises(Refused, match="a remote sends") as caught:
        jam.room.handle(jam.now_us, CARL, OFFER)
    assert caught.value.code == "not_member"
    with pytest.raises(Refused, match="no other member named 'bert'") as caught:
        jam.room.handle(jam.now_us, BERT, OFFER)
    assert (caught.value.code, caught.value.field) == ("no_such_member", "to")
    jam.take(jam.room.lost(jam.now_us, BERT))
    with pytest.raises(Refused, match="no other member named 'bert'"):
        jam.room.handle(jam.now_us, ANNA, OFFER)
