"""The join page lists who is on the LAN."""

import ipaddress

from midipool.lan.announcement import Announcement
from midipool.lan.finds import Finds
from midipool_client.page.nearby import MOST_SHOWN, nearby_part
from midipool_client.page.state import NearbyServer

LAN = [ipaddress.ip_network("10.0.0.0/8")]


def test_servers_with_their_rooms_and_players() -> None:
    finds = Finds(LAN)
    stage = Announcement(kind="server", name="stage", rooms=["a", "jam"], more_rooms=3, room="jam")
    finds.put("1", stage, ["10.0.0.1"], 8765)
    finds.put("2", Announcement(kind="player", name="bob"), ["10.0.0.2"], 0)
    part = nearby_part(finds.shown(), "")
    assert part.servers == [
        NearbyServer(name="stage", server="ws://10.0.0.1:8765", rooms=["jam", "a"], more_rooms=3)
    ]
    assert part.players == ["bob"]


def test_no_more_than_one_looks_through() -> None:
    finds = Finds(LAN)
    for number in range(200):
        said = Announcement(kind="server", name=f"<b>{number}</b>")
        finds.put(str(number), said, [f"10.0.0.{number + 1}"], 8765)
    assert len(nearby_part(finds.shown(), "").servers) == MOST_SHOWN
