from pathlib import Path

import pytest

from midipool.errors import InvalidValue
from midipool_client.recent_rooms import MOST, RecentRoom, address_of, recent_in, with_room
from midipool_client.settings import Settings


def room(number: int) -> RecentRoom:
    return RecentRoom(f"ws://h:1/{number}", "me")


def test_the_newest_room_comes_first_and_only_once() -> None:
    rooms: list[RecentRoom] = []
    for number in (1, 2, 1):
        rooms = with_room(rooms, room(number))
    assert rooms == [room(1), room(2)]
    for number in range(20):
        rooms = with_room(rooms, room(number))
    assert len(rooms) == MOST


def test_a_file_that_holds_rubbish_there_loses_nothing_else() -> None:
    assert recent_in({"recent": "x"}) == []
    assert recent_in({"recent": [1, {"url": "u"}, {"url": "u", "name": "n"}]}) == [
        RecentRoom("u", "n")
    ]


def test_rooms_are_kept_in_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    settings = Settings.load(path)
    settings.remember(room(1))
    settings.remember(room(2))
    settings.save()
    assert Settings.load(path).recent == [room(2), room(1)]


@pytest.mark.parametrize(
    ("server", "name", "url"),
    [
        ("example.org", "jam", "ws://example.org:8765/jam"),
        (" 10.0.0.1:99 ", " jam ", "ws://10.0.0.1:99/jam"),
        ("[::1]:99", "jam", "ws://[::1]:99/jam"),
        ("ws://h:99/jam", "", "ws://h:99/jam"),
        ("ws://h:99/jam", "other", "ws://h:99/jam"),
        ("wss://h", "jam", "wss://h:443/jam"),
        ("midipool-client join ws://h:99/jam --name me", "", "ws://h:99/jam"),
        ("http://h:99/rooms/jam", "", "ws://h:99/jam"),
        ("https://h/rooms/jam?x=1", "other", "wss://h:443/jam"),
    ],
)
def test_an_address_is_made_of_what_is_typed(server: str, name: str, url: str) -> None:
    assert str(address_of(server, name)) == url


@pytest.mark.parametrize(("server", "name"), [("", "jam"), ("h", ""), ("h:x", "jam"), ("h", "a/b")])
def test_what_is_no_address_is_refused(server: str, name: str) -> None:
    with pytest.raises(InvalidValue):
        address_of(server, name)
