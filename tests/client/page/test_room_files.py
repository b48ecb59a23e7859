"""The room as a file on the page: who gets it, what is refused, and what becomes of a good one."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midipool.snapshot import MAX_BYTES
from midipool_client import tokens
from midipool_client.page.host import PageHost
from midipool_client.room_url import parse_room_url
from tests.client.page.running import Running, playing, running
from tests.server.test_web import Server

ROOM = "midipool_room: 1\ntour: 3\nsongs:\n  - name: Blue\n    tempo: 90\n"
YAML = {"Content-Type": "application/yaml"}


@pytest.fixture
async def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    """A page of a client that is in a real server's room."""
    for kind in ("CONFIG_HOME", "RUNTIME_DIR", "STATE_HOME"):
        monkeypatch.setenv(f"XDG_{kind}", str(tmp_path))
    server = Server()
    await server.start()
    socket = await server.connect()
    await socket.send_json({"type": "hello", "version": 1, "name": "me"})
    token = (await socket.receive_json())["token"]
    made = playing(tmp_path / "settings.json")
    made.player.url = parse_room_url(server.address.replace("http", "ws") + "/jam")
    tokens.save(made.player.url, "me", token)
    host = PageHost()
    host.enter(made)
    async with running(host) as page:
        yield page
    await server.stop()


async def test_it_is_saved_and_loaded(page: Running) -> None:
    await page.enter()
    where = f"{page.site}/room.yaml"
    async with page.http.post(where, data=ROOM, headers=YAML) as answer:
        assert answer.status == 200
        [note] = (await answer.json())["notes"]
        assert note.startswith("the file: line 2, column 1: `tour` is unknown here")
    async with page.http.get(where) as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="jam.yaml"'
        text = await answer.text()
    assert "name: Blue" in text
    assert "tour: 3" in text


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (ROOM.replace("90", "9"), 400, "the file: line 5, column 12: songs[1].tempo"),
        ("", 400, "is empty"),
        ("#" * (MAX_BYTES + 1), 400, "is longer than 1024 KiB"),
        (ROOM + "mode: {mode: leader, leader: me}\nroom: !!x y", 400, "is a tag"),
    ],
)
async def test_a_file_that_is_none_changes_nothing(
    page: Running, body: str, status: int, words: str
) -> None:
    await page.enter()
    async with page.http.post(
        f"{page.site}/room.yaml", data=io.BytesIO(body.encode()), headers=YAML
    ) as answer:
        assert answer.status == status
        assert words in (await answer.json())["text"]
    async with page.http.get(f"{page.site}/room.yaml") as answer:
        assert "Blue" not in await answer.text()


async def test_nobody_else_gets_or_changes_it(page: Running) -> None:
    where = f"{page.site}/room.yaml"
    for asked in (page.http.get(where), page.http.post(where, data=ROOM, headers=YAML)):
        async with asked as answer:
            assert answer.status == 403
    await page.enter()
    elsewhere = {"Origin": "http://example.org", **YAML}
    async with page.http.post(where, data=ROOM, headers=elsewhere) as answer:
        assert answer.status == 403
    async with page.http.post(where, data=ROOM, headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 415


async def test_without_a_room_it_says_so() -> None:
    async with running(PageHost()) as page:
        await page.enter()
        async with page.http.get(f"{page.site}/room.yaml") as answer:
            assert answer.status == 409
            assert "no room yet" in (await answer.json())["text"]
