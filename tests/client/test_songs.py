"""Song lists of a member, in files, and in a shell against a real server."""

import argparse
import asyncio
import json
from pathlib import Path

import pytest

from midipool.errors import InvalidMessage, InvalidValue, Refused
from midipool.messages import (
    MAX_SONGS,
    LoadedSong,
    Song,
    SongGone,
    SongPut,
    Songs,
    decode_client,
    decode_server,
    encode,
)
from midipool.meter import Loop, Meter
from midipool.song_book import SongBook
from midipool_client.cli import _parser
from midipool_client.commands import songs as command
from midipool_client.known_songs import KnownSongs
from midipool_client.song_file import exported, imported, is_same
from tests.client.test_remote import Band, band

__all__ = ["band"]

BLUE = Song(3, 1, "Blue", 60, Meter(), None, "Dm", "# Intro\npiano")
WALTZ = Song(4, 2, "Waltz", 132.5, Meter(3, 4), Loop(5, 9))


class TestKnown:
    def test_a_room_that_begins_anew_gets_the_list(self) -> None:
        known = KnownSongs()
        assert known.told(Songs([BLUE], None, False)) == []
        assert known.told(SongPut(WALTZ, BLUE.id)) == []
        known.book.loaded = LoadedSong(4, "anna", 5)
        [hand] = known.told(Songs([], None, True))
        assert (hand.songs, hand.loaded) == ([WALTZ, BLUE], LoadedSong(4, "anna", 5))
        assert known.book.songs == []

    def test_a_room_that_has_them_or_wants_none_gets_none(self) -> None:
        known = KnownSongs()
        known.told(Songs([BLUE, WALTZ], None, True))
        assert known.told(Songs([WALTZ, BLUE], None, True)) == []
        assert known.told(Songs([], None, False)) == []

    def test_a_full_list_goes_in_messages_that_are_short_enough(self) -> None:
        known = KnownSongs()
        notes = '"🎷\n' * 650
        full = [Song(n, 1, f"song {n}", 99, notes=notes) for n in range(1, MAX_SONGS + 1)]
        known.told(Songs(full, None, False))
        hands = known.told(Songs([], None, True))
        assert len(hands) > 3
        assert [song for hand in hands for song in hand.songs] == full
        for hand in hands:
            assert decode_client(encode(hand)) == hand

    def test_what_does_not_fit_harms_nothing(self) -> None:
        known = KnownSongs()
        known.told(Songs([BLUE], None, False))
        for message in (SongGone(99), SongPut(WALTZ, 99)):
            assert known.told(message) == []
        assert known.book.songs == [BLUE]


class TestFile:
    def test_what_goes_out_comes_in(self) -> None:
        data = exported([BLUE, WALTZ])
        assert [is_same(s, w) for s, w in zip([BLUE, WALTZ], imported(data), strict=True)] == [
            True,
            True,
        ]
        assert json.loads(data)["songs"][1]["meter"] == "3/4"

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"[]",
            b'{"songs": []}',
            b'{"format": "midiPool songs 2", "songs": []}',
            b'{"format": "midiPool songs 1", "songs": [{"name": "x", "bpm": 5}]}',
            b'{"format": "midiPool songs 1", "songs": [{"name": "x", "meter": "4/3"}]}',
            b'{"format": "midiPool songs 1", "songs": [{"name": "x", "notes": "\\u001b"}]}',
            b'{"format": "midiPool songs 1", "songs": [{"name": "x", "more": 1}]}',
            b"\xff" * 10,
            b"[" * 100_000,
        ],
    )
    def test_what_is_no_list_is_refused(self, data: bytes) -> None:
        with pytest.raises(InvalidValue):
            imported(data)

    def test_too_many(self) -> None:
        with pytest.raises(InvalidValue, match="101 are too many"):
            imported(exported([BLUE] * 101))


@pytest.fixture
async def shell(band: Band) -> Band:
    await band.join("drums")
    return band


def options(band: Band, *words: str) -> argparse.Namespace:
    return _parser().parse_args(["room", str(band.url), "songs", *words])


async def do(band: Band, *words: str) -> None:
    await command._run(band.url, options(band, *words))


async def test_a_shell_keeps_the_list(
    shell: Band, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("# Intro\r\n*piano*\r\n")
    await do(shell, "add", "Blue in Green", "--tempo", "56", "--key", "Dm", "--notes", str(notes))
    await do(shell, "add", "Waltz", "--meter", "3/4", "--loop", "5", "9", "--before", "blue")
    await do(shell, "change", "1", "--tempo", "132.5")
    await do(shell, "load", "waltz")
    await do(shell)
    assert capsys.readouterr().out.splitlines() == [
        "*  1  Waltz  (132.5 BPM, 3/4, loop 5-9)",
        "   2  Blue in Green  (56 BPM, 4/4, Dm, notes)",
    ]
    status = await shell.status()
    agreed = status["timelines"][-1]
    assert (agreed["mbpm"], agreed["loop"]) == (132_500, {"start_bar": 5, "end_bar": 9})
    assert (status["song"], status["changes"][-1]["by"]) == ("Waltz", "drums")
    await do(shell, "show", "blue")
    assert capsys.readouterr().out.endswith("# Intro\n*piano*\n")
    await do(shell, "move", "1", "2")
    await do(shell, "export", str(tmp_path / "set.json"))
    await do(shell, "remove", "blue")
    await do(shell, "add", "Another")
    await do(shell, "import", str(tmp_path / "set.json"))
    assert capsys.readouterr().out == "1 added, 0 changed\n"
    await do(shell, "import", "--replace", str(tmp_path / "set.json"))
    capsys.readouterr()
    await do(shell, "export", "-")
    assert capsys.readouterr().out == (tmp_path / "set.json").read_text()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["load", "nothing"], "no song of the list is called 'nothing'"),
        (["add", "x", "--tempo", "5"], "bpm"),
        (["add", "x", "--meter", "4/3"], "denominator"),
        (["add", "a\x07b"], "name"),
        (["add", "x", "--notes", "/nowhere/x.md"], "cannot be read: No such file"),
        (["import", "/nowhere/x.json"], "cannot be read"),
        (["move", "Blue", "9"], "must be 1 to 1"),
    ],
)
async def test_a_mistake_in_a_shell_is_said(shell: Band, words: list[str], error: str) -> None:
    await do(shell, "add", "Blue")
    with pytest.raises((InvalidValue, InvalidMessage, Refused), match=error):
        await do(shell, *words)


async def test_every_client_has_the_list_that_the_room_has(shell: Band) -> None:
    books = []
    for name in ("bass", "keys"):
        socket = await shell.http.ws_connect(str(shell.url))
        hello = {"type": "hello", "version": 1, "name": name, "capabilities": ["songs"]}
        await socket.send_json(hello)
        books.append((socket, SongBook()))
    await do(shell, "add", "Blue")
    await do(shell, "add", "Waltz", "--before", "1")
    await do(shell, "remove", "blue")
    for socket, book in books:
        async with asyncio.timeout(10):
            while not (book.songs and [s.name for s in book.songs] == ["Waltz"]):
                text = await socket.receive_str()
                if json.loads(text)["type"] in ("songs", "song_put", "song_gone"):
                    book.hear(decode_server(text))  # type: ignore[arg-type]
        await socket.close()
