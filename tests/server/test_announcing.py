"""What a server tells its LAN."""

from midipool_server.announcing import announcement
from midipool_server.lobby import Lobby
from midipool_server.settings import Settings


def lobby() -> Lobby:
    made = Lobby("c10c")
    made.enter("trio", remote=False)
    made.enter("duo", remote=False)
    return made


def test_rooms_only_where_their_host_lists_them() -> None:
    assert announcement(Settings(), lobby(), "box").rooms is None
    assert announcement(Settings(list_rooms=True), lobby(), "box").rooms == ["duo", "trio"]


def test_it_is_called_by_this_machine_unless_named() -> None:
    assert announcement(Settings(), lobby(), "box").name == "box"
    assert announcement(Settings(announce_name="Stage"), lobby(), "box").name == "Stage"
