"""Addresses of rooms, as people type them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from midipool_client.room_url import RoomUrl, parse_room_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("ws://127.0.0.1:8765/jam", RoomUrl(False, "127.0.0.1", 8765, "jam")),
        ("ws://host/jam", RoomUrl(False, "host", 8765, "jam")),
        ("wss://host.example/jam", RoomUrl(True, "host.example", 443, "jam")),
        ("wss://host.example:9/jam/", RoomUrl(True, "host.example", 9, "jam")),
        ("ws://[::1]:8765/jam", RoomUrl(False, "::1", 8765, "jam")),
        ("WS://Host/Jam", RoomUrl(False, "host", 8765, "Jam")),
        ("http://host:8765/jam", RoomUrl(False, "host", 8765, "jam")),
        ("https://host.example/rooms/jam", RoomUrl(True, "host.example", 443, "jam")),
    ],
)
def test_what_is_understood(text: str, url: RoomUrl) -> None:
    assert parse_room_url(text) == url
    assert parse_room_url(str(url)) == url


def test_the_same_server_by_http() -> None:
    assert parse_room_url("ws://[::1]/jam").http("api/rooms") == "http://[::1]:8765/api/rooms"
    assert parse_room_url("wss://a/jam").http("healthz") == "https://a:443/healthz"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jam",
        "ftp://host/jam",
        "ws://host",
        "ws://host/",
        "ws:///jam",
        "ws://host/a/b",
        "ws://host:0x1/jam",
        "ws://host:99999/jam",
        "ws://host:-1/jam",
        "ws://[::1/jam",
        "ws://[nonsense]/jam",
        "//host/jam",
    ],
)
def test_what_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_room_url(text)
    assert caught.value.field == "url"
    assert "ws://" in str(caught.value)


@given(st.text(max_size=40).map(lambda text: "ws://" + text))
def test_nothing_typed_raises_anything_else(text: str) -> None:
    with contextlib.suppress(InvalidValue):
        parse_room_url(text)


def test_an_invitation_is_taken_from_its_link_and_shown_nowhere() -> None:
    url = parse_room_url("https://host.example/jam#invite=aBc-_.d9")
    assert (url.invitation, url.secure, url.port, url.room) == ("aBc-_.d9", True, 443, "jam")
    assert "aBc" not in str(url) + repr(url) + url.http("jam")
    assert url == parse_room_url("wss://host.example/jam")
    for broken in ("#invite=", "#invite=a b", "#other", "#invite=" + "a" * 513):
        with pytest.raises(InvalidValue) as caught:
            parse_room_url(f"https://host.example/jam{broken}")
        assert broken not in str(caught.value)
