"""Settings that change while a client runs."""

import asyncio
import logging
from pathlib import Path

import pytest

from midipool_client import settings_watch
from midipool_client.cli import main
from midipool_client.settings import Settings


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_watch, "LOOK_S", 0.005)


def put(path: Path, text: str) -> None:
    path.write_text(text)


async def seen(path: Path, change: str) -> Settings:
    """What a watcher is given after the file got the text `change`."""
    got: asyncio.Queue[Settings] = asyncio.Queue()
    watching = asyncio.create_task(
        settings_watch.watch_settings(Settings.load(path), got.put_nowait)
    )
    await asyncio.sleep(0)  # it has looked once
    put(path, change)
    try:
        async with asyncio.timeout(10):
            return await got.get()
    finally:
        watching.cancel()


async def test_a_change_is_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{}")
    change = '{"ports": {"device:midiPool": {"offset_ms": 4.5}}}'
    assert (await seen(path, change)).offset_ms("midiPool") == 4.5


async def test_a_file_that_comes_into_being_is_a_change(tmp_path: Path) -> None:
    change = '{"click": {"volume": 0.5}}'
    assert (await seen(tmp_path / "settings.json", change)).click.volume == 0.5


async def test_a_broken_file_changes_nothing_and_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "settings.json"
    caplog.set_level(logging.WARNING)
    got: list[Settings] = []
    watching = asyncio.create_task(settings_watch.watch_settings(Settings.load(path), got.append))
    await asyncio.sleep(0)
    put(path, "{")
    for _ in range(2000):
        if str(path) in caplog.text:
            break
        await asyncio.sleep(0.005)
    watching.cancel()
    assert str(path) in caplog.text
    assert got == []


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_an_offset_is_set_and_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["offset", "-12.5", "--daw", "Hydrogen"]) == 0
    assert main(["offset", "show", "--daw", "Hydrogen"]) == 0
    assert main(["offset", "show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["DAW Hydrogen: -12.5 ms"] * 2 + ["device midiPool: +0.0 ms"]


def test_the_click_is_set_word_by_word(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["click", "volume=0.5", "only_count_in=on", "note=60"]) == 0
    click = Settings.load().click
    assert (click.volume, click.only_count_in, click.note, click.accent_note) == (0.5, True, 60, 76)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["offset", "1001"], "offset: must be -1000 to 1000 ms"),
        (["offset", "soon"], "offset: must be -1000 to 1000 ms"),
        (["click", "loud=1"], "click: knows no 'loud'"),
        (["click", "volume=2"], "volume: must be 0 to 1"),
        (["click", "note=high"], "note: cannot be 'high'"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], text: str
) -> None:
    assert main(words) == 1
    assert text in capsys.readouterr().err
    assert not (home / "midipool" / "settings.json").exists()
