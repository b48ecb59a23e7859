"""Rooms come and go by name."""

import pytest

from midipool.errors import Refused
from midipool_server.lobby import Lobby, check_room_name


@pytest.fixture
def lobby() -> Lobby:
    return Lobby(clock_id="c10c", clock_port=8765, max_rooms=2, max_members=3, keep_us=7)


def test_a_member_makes_a_room(lobby: Lobby) -> None:
    room = lobby.enter("jam", remote=False)
    assert (room.name, room.clock_id, room.clock_port) == ("jam", "c10c", 8765)
    assert (room.max_members, room.keep_us) == (3, 7)
    assert lobby.enter("jam", remote=False) is room


def test_a_remote_never_does(lobby: Lobby) -> None:
    with pytest.raises(Refused) as caught:
        lobby.enter("jam", remote=True)
    assert caught.value.code == "no_such_room"
    assert lobby.rooms == {}
    room = lobby.enter("jam", remote=False)
    assert lobby.enter("jam", remote=True) is room


def test_a_server_takes_so_many(lobby: Lobby) -> None:
    lobby.enter("a", remote=False)
    lobby.enter("b", remote=False)
    with pytest.raises(Refused) as caught:
        lobby.enter("c", remote=False)
    assert caught.value.code == "server_full"
    assert lobby.enter("a", remote=False).name == "a"


def test_a_room_ends_when_nobody_is_in_it(lobby: Lobby) -> None:
    room = lobby.enter("jam", remote=False)
    room.join(0, 1, "anna", "", False, "0" * 32)
    room.join(0, 2, "watcher", "", True, "1" * 32)
    lobby.close_if_empty(room)
    assert "jam" in lobby.rooms
    room.leave(0, 1)
    lobby.close_if_empty(room)
    assert lobby.rooms == {}
    lobby.close_if_empty(room)


@pytest.mark.parametrize("name", ["jam", "a", "9", "a.b-c_d", "x" * 64])
def test_names_of_rooms(name: str) -> None:
    check_room_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".a",
        "-a",
        "a/b",
        "a b",
        "a\n",
        "é",
        "x" * 65,
        "x" * 10_000,
        "../etc",
        "a\x00",
    ],
)
def test_what_is_none(lobby: Lobby, name: str) -> None:
    with pytest.raises(Refused) as caught:
        lobby.enter(name, remote=False)
    assert (caught.value.code, caught.value.field) == ("bad_room", "room")
    assert lobby.rooms == {}


@pytest.mark.parametrize("name", ["api", "healthz"])
def test_names_that_the_server_needs(name: str) -> None:
    with pytest.raises(Refused, match="the server uses it"):
        check_room_name(name)
