"""The folder: files whole or as before, whatever happens to the server or to them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import Unavailable
from midipool.messages import RoomName, SetTempo
from midipool_server.saving.folder import MOST_DAMAGED, StateFolder, stem_of
from midipool_server.saving.history import DAY_S, HOUR_S, NEWEST
from midipool_server.saving.room_state import body_of, state_of
from tests.midipool.from_types import values

from ..simulation import Simulation

NOW_S = 1_764_357_611


def state(bpm: float = 120) -> bytes:
    jam = Simulation()
    jam.join()
    jam.command(SetTempo(id=1, bpm=bpm))
    return state_of(jam.room, body_of(jam.room, jam.now_us), jam.now_us)


@pytest.fixture
def kept(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


def bodies(kept: StateFolder) -> list[bytes]:
    return [bytes(room.body) for room in kept.rooms()]


def body(data: bytes) -> bytes:
    return data[data.index(b'"body":') + 7 : -1]


def test_what_is_written_is_there_and_what_has_ended_is_not(kept: StateFolder) -> None:
    kept.write("jam", state(99))
    kept.write("jam", state(100))
    assert bodies(kept) == [body(state(100))]
    kept.remove("jam")
    assert bodies(kept) == []
    assert list((kept.folder / "rooms").iterdir()) == []


def test_nobody_else_can_read_it(kept: StateFolder) -> None:
    kept.write("jam", state())
    for path in kept.folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_one_server_has_it_at_a_time(kept: StateFolder) -> None:
    with pytest.raises(Unavailable, match="another server keeps its rooms"):
        StateFolder(kept.folder)
    kept.close()
    StateFolder(kept.folder).close()


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="choose another --state-dir"):
        StateFolder(tmp_path / "file" / "state")


@pytest.mark.parametrize("damage", [b"", b"{", b"\0" * 900, state()[:-9], b'{"midipool_state":1}'])
def test_a_damaged_file_is_set_aside_and_the_one_before_is_taken(
    kept: StateFolder, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    kept.write("jam", state(99))
    kept.write("jam", state(100))
    path = kept.folder / "rooms" / "room-jam.json"
    path.write_bytes(damage)
    assert bodies(kept) == [body(state(99))]
    assert f"{path} is damaged, and set aside as damaged-" in caplog.text
    [aside] = path.parent.glob("damaged-*")
    assert aside.read_bytes() == damage
    kept.write("jam", state(101))
    assert bodies(kept) == [body(state(101))]


def test_both_damaged_leave_no_room_and_others_in_peace(kept: StateFolder) -> None:
    for room in ("jam", "other"):
        kept.write(room, state(99).replace(b'"jam"', f'"{room}"'.encode()))
        kept.write(room, state(100).replace(b'"jam"', f'"{room}"'.encode()))
    for path in (kept.folder / "rooms").glob("room-jam*"):
        path.write_bytes(b"?")
    assert [room.name for room in kept.rooms()] == ["other"]


def test_damaged_files_do_not_pile_up(kept: StateFolder) -> None:
    rooms = kept.folder / "rooms"
    for number in range(MOST_DAMAGED + 5):
        (rooms / f"room-{number}.json").write_bytes(b"?")
    assert kept.rooms() == []
    assert len(list(rooms.iterdir())) == MOST_DAMAGED


CRASHES = """
import os, sys
from pathlib import Path
from midipool_server.saving.folder import StateFolder
kept, at = StateFolder(Path(sys.argv[1])), int(sys.argv[2])
calls = 0
def dies(event, _):
    global calls
    calls += event in ("open", "os.rename", "os.remove", "os.link")
    if calls > at:
        os._exit(9)
sys.addaudithook(dies)
kept.write("jam", sys.stdin.buffer.read())
"""


def test_a_crash_at_any_step_leaves_the_old_or_the_new(kept: StateFolder) -> None:
    """The process ends before its first, second, third ... call that touches a file."""
    kept.write("jam", state(98))
    kept.write("jam", state(99))
    kept.close()
    found = []
    for at in range(20):
        run = [sys.executable, "-c", CRASHES, str(kept.folder), str(at)]
        code = subprocess.run(run, input=state(100), timeout=30).returncode
        again = StateFolder(kept.folder)
        found += bodies(again)
        assert list(again.folder.rglob("damaged-*")) == []
        again.close()
        if code == 0:
            break
        assert code == 9
    assert at >= 3
    assert found == sorted(found, key=[body(state(99)), body(state(100))].index)
    assert found[-1] == body(state(100))


def test_a_full_disk_leaves_what_was(kept: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.write("jam", state(99))

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        kept.write("jam", state(100))
    monkeypatch.undo()
    assert bodies(kept) == [body(state(99))]


@given(st.sets(values(RoomName), min_size=2, max_size=2))
def test_no_two_rooms_share_a_file_in_any_file_system(names: set[str]) -> None:
    one, two = (stem_of(name) for name in names)
    assert one.lower() != two.lower()
    assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789_-%" for c in one)


def test_history_is_thinned_and_forgotten(kept: StateFolder) -> None:
    for minute in range(30):
        kept.remember("jam", b"{}", NOW_S + 60 * minute)
    jam = kept.folder / "history" / "room-jam"
    assert len(list(jam.iterdir())) == NEWEST
    kept.remember("old", b"{}", NOW_S - 31 * DAY_S)
    kept.remember("newer", b"{}", NOW_S + HOUR_S)
    assert (jam.parent / "room-newer" / "2025-11-28T20-20-11Z.json").exists()
    kept.forget_old(NOW_S + HOUR_S, most_rooms=9)
    assert sorted(p.name for p in jam.parent.iterdir()) == ["room-jam", "room-newer"]
    kept.forget_old(NOW_S + HOUR_S, most_rooms=1)
    assert [p.name for p in jam.parent.iterdir()] == ["room-newer"]
