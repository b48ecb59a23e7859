"""Tokens outlive the client that got them, and nobody else reads them."""

import os
import stat
from pathlib import Path

import pytest

from midipool.errors import Unavailable
from midipool_client import tokens
from midipool_client.room_url import parse_room_url

JAM = parse_room_url("ws://127.0.0.1:8765/jam")
OTHER = parse_room_url("ws://127.0.0.1:8765/other")


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runtime"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return folder


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_saved_is_there_the_newest_first() -> None:
    assert tokens.load(JAM) == []
    tokens.save(JAM, "drums", "aa")
    tokens.save(JAM, "bass", "bb")
    tokens.save(OTHER, "keys", "cc")
    assert tokens.load(JAM) == [("bass", "bb"), ("drums", "aa")]
    tokens.save(JAM, "drums", "dd")
    assert tokens.load(JAM) == [("drums", "dd"), ("bass", "bb")]
    assert tokens.load(OTHER) == [("keys", "cc")]


def test_what_is_forgotten_is_gone(runtime: Path) -> None:
    tokens.save(JAM, "drums", "aa")
    tokens.save(JAM, "bass", "bb")
    tokens.forget(JAM, "drums")
    tokens.forget(JAM, "nobody")
    assert tokens.load(JAM) == [("bass", "bb")]
    assert len(files(runtime)) == 1


def test_nobody_else_can_read_them(runtime: Path) -> None:
    before = os.umask(0)
    try:
        tokens.save(JAM, "drums", "aa")
    finally:
        os.umask(before)
    [file] = files(runtime)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["../../drums", "/etc/passwd", "鼓手", "a" * 64, "con.json"])
def test_a_name_is_no_path(runtime: Path, name: str) -> None:
    tokens.save(JAM, name, "aa")
    assert tokens.load(JAM) == [(name, "aa")]
    [file] = files(runtime.parent)
    assert file.parent == runtime / "midipool" / "tokens"


def test_without_a_runtime_folder_the_state_folder_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    tokens.save(JAM, "drums", "aa")
    assert len(files(tmp_path / "state")) == 1
    # A relative path is to be ignored (XDG Base Directory).
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    tokens.save(JAM, "bass", "bb")
    assert len(files(tmp_path / "home" / ".local" / "state" / "midipool")) == 1
    assert tokens.load(JAM) == [("bass", "bb")]


def test_a_shell_with_another_environment_finds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as other:
        other.delenv("XDG_RUNTIME_DIR")
        tokens.save(JAM, "drums", "aa")
    assert tokens.load(JAM) == [("drums", "aa")]
    tokens.save(JAM, "drums", "bb")
    assert tokens.load(JAM) == [("drums", "bb")]
    tokens.forget(JAM, "drums")
    assert tokens.load(JAM) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"url": "ws://127.0.0.1:8765/jam"}',
        b'{"url":"ws://127.0.0.1:8765/jam","name":"drums","token":"zz","saved_ns":1}',
        b'{"url":"ws://127.0.0.1:8765/jam","name":"a\\u0007","token":"aa","saved_ns":1}',
        b" " * 10_000_000,
    ],
)
def test_a_file_that_is_broken_is_passed_over(runtime: Path, data: bytes) -> None:
    tokens.save(JAM, "drums", "aa")
    folder = runtime / "midipool" / "tokens"
    (folder / "broken.json").write_bytes(data)
    (folder / "folder.json").mkdir()
    assert tokens.load(JAM) == [("drums", "aa")]
    tokens.save(JAM, "bass", "bb")


def test_a_write_that_fails_leaves_the_old_token_and_nothing_else(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.save(JAM, "drums", "aa")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        tokens.save(JAM, "drums", "bb")
    assert tokens.load(JAM) == [("drums", "aa")]
    assert len(files(runtime)) == 1


def test_a_folder_that_cannot_be_is_told(runtime: Path) -> None:
    runtime.write_text("a file")
    with pytest.raises(Unavailable, match="set XDG_STATE_HOME"):
        tokens.save(JAM, "drums", "aa")
    assert tokens.load(JAM) == []


def test_there_are_never_too_many(runtime: Path) -> None:
    for number in range(tokens.MAX_FILES + 3):
        tokens.save(JAM, f"m{number}", "aa")
    assert len(files(runtime)) == tokens.MAX_FILES
    assert tokens.load(JAM)[0] == (f"m{tokens.MAX_FILES + 2}", "aa")
