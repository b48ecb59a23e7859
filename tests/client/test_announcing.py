"""What a player tells its LAN: its name and what it sends, and never the room."""

from dataclasses import dataclass

from midipool.messages import AudioStream
from midipool_client.announcing import announcement
from midipool_native.lan import is_loopback


@dataclass
class Playing:
    name: str = "bob"
    server_host: str | None = "192.168.1.4"
    sends: AudioStream | None = None


def test_a_player_says_its_name_and_what_it_sends() -> None:
    stream = AudioStream(2, 128, 4, 4)
    said = announcement(Playing(sends=stream), is_loopback)
    assert said is not None
    assert said.txt() == {
        "v": "1",
        "kind": "player",
        "name": "bob",
        "audio": "L16/48000/2/128/rs8m:4+4",
    }


def test_who_plays_on_this_machine_alone_or_in_no_room_yet_says_nothing() -> None:
    for host in (None, "127.0.0.1", "::1", "127.3.2.1"):
        assert announcement(Playing(server_host=host), is_loopback) is None
