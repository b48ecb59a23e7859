"""Recordings on the page: listed, downloaded, renamed, deleted; and no name becomes a path."""

import io
import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from yarl import URL

from midipool_client.live_settings import Playing
from midipool_client.page.host import PageHost
from midipool_client.page.takes import listed
from midipool_client.playback.player import TakePlayer
from midipool_client.recording.library import Library, lock
from midipool_client.recording.manifest import write_manifest
from tests.client.page.running import Running, served_by
from tests.client.page.test_talk import Page, opened
from tests.client.playback.takes import manifest, recorded

NAMES = ["01-bass.flac", "02-mix.flac", "03-drums.flac", "midi.mid", "manifest.json"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("secret")
    recorded(tmp_path / "recordings", "take 1")
    return tmp_path / "recordings"


@pytest.fixture
async def served(folder: Path, client: Playing) -> AsyncIterator[Running]:
    host = PageHost(library=Library(folder))
    client.player.takes = TakePlayer(client.player, Library(folder))
    host.enter(client)
    async with served_by(host) as made:
        yield made


async def get(served: Running, path: str) -> tuple[int, bytes, str]:
    async with served.http.get(URL(served.site + path, encoded=True)) as answer:
        disposition = answer.headers.get("Content-Disposition", "")
        if answer.status == 200:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        return answer.status, await answer.read(), disposition


async def test_a_recording_comes_as_a_zip_and_its_files_one_by_one(
    served: Running, folder: Path
) -> None:
    await served.enter()
    status, data, disposition = await get(served, "/takes/take%201.zip")
    assert (status, disposition) == (200, 'attachment; filename="take 1.zip"')
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(f"take 1/{name}" for name in NAMES)
    for name in NAMES:
        status, data, disposition = await get(served, f"/takes/take%201/{name}")
        assert (status, data) == (200, (folder / "take 1" / name).read_bytes())
        assert disposition == f'attachment; filename="{name}"'


async def test_nobody_without_a_cookie_gets_any(served: Running) -> None:
    for path in ("/takes/take%201.zip", "/takes/take%201/midi.mid"):
        status, data, _ = await get(served, path)
        assert status == 403
        assert b"MThd" not in data


@pytest.mark.parametrize(
    "path",
    [
        "/takes/..%2fsecret",
        "/takes/..%2fsecret.zip",
        "/takes/%2e%2e/secret",
        "/takes/%2e%2e.zip",
        "/takes/...zip",
        "/takes/.zip",
        "/takes/take%201/..%2f..%2fsecret",
        "/takes/take%201/%2e%2e%2f%2e%2e%2fsecret",
        "/takes/take%201/..%5c..%5csecret",
        "/takes/take%201/%2fetc%2fpasswd",
        "/takes/take%201/.recording",
        "/takes/take%201/midi.mid%00.flac",
        "/takes/take%201/link.flac",
        "/takes/take%201/",
        "/takes/take%201",
        "/takes/take%202.zip",
        "/takes/%ff%fe.zip",
        "/takes/" + "a" * 3000 + ".zip",
    ],
)
async def test_no_name_becomes_a_path(served: Running, folder: Path, path: str) -> None:
    (folder / "take 1" / "link.flac").symlink_to(folder.parent / "secret")
    await served.enter()
    status, data, _ = await get(served, path)
    assert status == 404
    assert data != b"secret"


async def test_a_manifest_names_no_files_elsewhere(served: Running, folder: Path) -> None:
    made = manifest()
    tracks = [
        msgspec.structs.replace(made.tracks[0], file=file)
        for file in ("../../secret", "/etc/passwd", "link.flac", ".recording")
    ]
    write_manifest(folder / "take 1", msgspec.structs.replace(made, tracks=tracks))
    (folder / "take 1" / "link.flac").symlink_to(folder.parent / "secret")
    await served.enter()
    _, data, _ = await get(served, "/takes/take%201.zip")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["take 1/manifest.json"]
    for file in ("..%2f..%2fsecret", "%2fetc%2fpasswd", "link.flac", ".recording"):
        assert (await get(served, f"/takes/take%201/{file}"))[0] == 404


async def test_what_is_being_recorded_is_not_given_away(served: Running, folder: Path) -> None:
    await served.enter()
    held = lock(folder / "take 1")
    try:
        assert (await get(served, "/takes/take%201.zip"))[0] == 409
    finally:
        os.close(held)


async def page_of(served: Running) -> Page:
    await served.enter()
    page = await opened(served)
    while not page.state["takes"]["takes"]:
        await page.hear()
    return page


async def test_the_list_has_all_the_newest_first(served: Running, folder: Path) -> None:
    recorded(folder, "take 2", "2026-11-28T11:00:00+00:00")
    page = await page_of(served)
    while len(page.state["takes"]["takes"]) < 2:
        await page.hear()
    first, second = page.state["takes"]["takes"]
    assert (first["name"], second["name"]) == ("take 2", "take 1")
    assert (first["bars"], first["seconds"], first["meter"]) == (10, 20.0, "4/4")
    assert [track["played"] for track in first["tracks"]] == [True, False, True]
    assert page.state["takes"]["size_bytes"] > 0
    assert page.state["takes"]["free_bytes"] > 0


async def test_renames_and_deletes(served: Running, folder: Path) -> None:
    page = await page_of(served)
    for bad in ("../x", "", "a/b", ".hidden", "x" * 65, "a\nb"):
        answer = await page.ask("rename_take", take="take 1", new=bad)
        assert answer["type"] == "refused"
    assert (await page.ask("rename_take", take="take 1", new="best one"))["type"] == "done"
    assert (folder / "best one").is_dir()
    assert (await page.ask("delete_take", take="take 1"))[
        "text"
    ] == "there is no recording 'take 1'"
    assert (await page.ask("delete_take", take="best one"))["type"] == "done"
    assert not (folder / "best one").exists()
    while page.state["takes"]["takes"]:
        await page.hear()


async def test_what_is_being_played_stays(
    served: Running, client: Playing, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await page_of(served)
    member = SimpleNamespace(room_us=lambda: None)
    monkeypatch.setattr(client.player.takes, "take", SimpleNamespace(name="take 1", member=member))
    answer = await page.ask("delete_take", take="take 1")
    assert "is being played" in answer["text"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"type": "record_stop"}, "nothing is being recorded"),
        ({"type": "record_start", "format": "mp3"}, "format"),
        ({"type": "record_start", "quota_gb": 0}, "quota_gb"),
        ({"type": "record_start"}, "no audio to record yet"),
        ({"type": "play_take", "take": "gone"}, "no recording 'gone'"),
        ({"type": "play_take", "take": "take 1", "from_bar": 11}, "bars 1 to 10, not 11"),
        ({"type": "play_take", "take": "take 1", "mute": ["x"]}, "no track 'x'; there are 1 (bass"),
        ({"type": "pause_take"}, "no recording is being played"),
        ({"type": "seek_take", "bar": 0}, "bar"),
    ],
)
async def test_says_what_stands_against_it(
    served: Running, request_: dict[str, Any], words: str
) -> None:
    page = await page_of(served)
    answer = await page.ask(**request_)
    assert answer["type"] == "refused"
    assert words in answer["text"]


def test_a_folder_that_is_not_there_yet_has_room(tmp_path: Path) -> None:
    takes = listed(Library(tmp_path / "not" / "there"), 1.5)
    assert (takes.takes, takes.quota_gb, takes.free_bytes > 0) == ([], 1.5, True)
