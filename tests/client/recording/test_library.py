"""Recordings are found, named and deleted, and nothing leads out of their folder."""

import os
from pathlib import Path

import pytest

from midipool.errors import InvalidValue, MidiPoolError, Refused
from midipool.timeline import Timeline
from midipool_client.recording.journal import JOURNAL, lines_of, read_journal
from midipool_client.recording.library import Library, default_folder, lock
from midipool_client.recording.manifest import Manifest, write_manifest
from midipool_client.recording.names import new_recording_name, track_file

MANIFEST = Manifest("jam", "bass", "flac", "2026-01-02T03:04:05+00:00", state="done")
EVIL = ["..", "../x", "/etc", "a/b", "", ".hidden", "a\0b", "x" * 65, "a\nb", "-rf", "end."]


def made(folder: Path, name: str, manifest: Manifest = MANIFEST) -> Path:
    (folder / name).mkdir(parents=True)
    write_manifest(folder / name, manifest)
    return folder / name


@pytest.mark.parametrize("name", EVIL)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    library = Library(tmp_path / "recordings")
    made(library.folder, "one")
    for call in (library.show, library.delete, lambda n: library.rename("one", n)):
        with pytest.raises(MidiPoolError):
            call(name)
    assert library.names() == ["one"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/", "..", "\0", "a\\b", "日本", "x" * 200])
def test_a_name_from_the_network_is_no_path(name: str) -> None:
    file = track_file(3, name, "flac")
    assert file.startswith("03-")
    assert file.endswith(".flac")
    assert not set("/\\\0") & set(file)
    assert ".." not in file
    assert len(file) < 60


def test_a_recording_is_shown_renamed_and_deleted(tmp_path: Path) -> None:
    library = Library(tmp_path)
    made(tmp_path, "one")
    made(tmp_path, "two")
    library.rename("one", "take 1")
    assert library.show("take 1") == MANIFEST
    with pytest.raises(Refused, match="already"):
        library.rename("take 1", "two")
    library.delete("two")
    assert library.names() == ["take 1"]


def test_what_is_being_recorded_is_left_alone(tmp_path: Path) -> None:
    library = Library(tmp_path)
    path = made(tmp_path, "one", Manifest("jam", "bass", "flac", "", state="recording"))
    held = lock(path)
    with pytest.raises(Refused, match="stop it first"):
        library.delete("one")
    assert library.show("one").state == "recording"
    os.close(held)
    assert library.show("one").state == "cut"


def test_a_journal_that_was_cut_off_is_read_up_to_there() -> None:
    chain = [Timeline(), Timeline(origin_time_us=5, playing=True)]
    data = lines_of(chain, [("keys", 7, b"\x90\x3c\x40")]) + b'{"played":["keys",9,"90'
    assert read_journal(data) == (tuple(chain), [("keys", 7, b"\x90\x3c\x40")])
    assert JOURNAL.startswith(".")


def test_names_are_new() -> None:
    assert new_recording_name(set(), "now", "Jam/../1") == "now-Jam-1"
    assert new_recording_name({"now-jam"}, "now", "jam") == "now-jam-2"


def test_where_recordings_are() -> None:
    assert default_folder({"XDG_DATA_HOME": "/d"}) == Path("/d/midipool/recordings")
    assert default_folder({"HOME": "/h"}, "linux") == Path("/h/.local/share/midipool/recordings")
    with pytest.raises(InvalidValue):
        Library(Path("/nowhere")).show("..")
