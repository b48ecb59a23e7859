"""What is captured is in the files, whatever the disk does; and a file that was cut off opens."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from midipool.clock_map import ClockMap
from midipool_client.recording import writer as writing
from midipool_client.recording.manifest import MOST_HOLES
from midipool_client.recording.track_file import Format, open_sound
from midipool_client.recording.writer import Writer
from midipool_native.tap import Tap
from tests.e2e.waiting import wait_until

RATE, BLOCK = 48_000, 512
SAME = ClockMap(0, 0)


def fill(tap: Tap, blocks: range) -> None:
    """Blocks with a ramp of ever the same slope, captured when their number says."""
    for number in blocks:
        ramp = np.linspace(0, 0.5, BLOCK, dtype=np.float32)
        tap.write(ramp.tobytes(), number * BLOCK * 1_000_000_000 // RATE)


def begun(folder: Path, format: Format = "flac", most_bytes: int = 1 << 40, **more: Any) -> Writer:
    return Writer(folder, format, RATE, most_bytes, (SAME, 0), **more)


def ended(writer: Writer) -> None:
    writer.end()
    writer.wait(10)
    assert writer.done


@pytest.mark.parametrize("format", ["flac", "wav"])
def test_a_track_has_all_that_was_captured(tmp_path: Path, format: Format) -> None:
    writer = begun(tmp_path, format)
    tap = writer.add("../../etc/passwd", "player", 1)
    fill(tap, range(100))
    ended(writer)
    assert writer.why == ""
    (track,) = writer.tracks()
    assert track.file == f"01-etc_passwd.{format}"
    assert [path.name for path in tmp_path.iterdir()] == [track.file]
    sound, rate = soundfile.read(tmp_path / track.file)
    assert rate == RATE
    assert len(sound) == track.frames == pytest.approx(100 * BLOCK, abs=64)
    assert sound[BLOCK // 2] == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("format", ["flac", "wav"])
def test_a_copy_of_a_growing_file_opens(tmp_path: Path, format: Format) -> None:
    """As after kill -9: nobody closed it."""
    writer = begun(tmp_path, format)
    tap = writer.add("drums", "player", 1)
    fill(tap, range(200))
    path = tmp_path / f"01-drums.{format}"
    cut = tmp_path / f"cut.{format}"

    def has_most() -> bool:
        shutil.copy(path, cut)
        try:
            return 200 * BLOCK - RATE < int(soundfile.info(cut).frames) <= 200 * BLOCK
        except soundfile.LibsndfileError:
            return False

    wait_until(path.exists)
    wait_until(has_most)
    sound, _ = soundfile.read(cut)
    assert len(sound) == soundfile.info(cut).frames
    assert sound[BLOCK // 2] == pytest.approx(0.25, abs=0.01)
    ended(writer)


def test_the_manifest_says_where_a_player_was_away(tmp_path: Path) -> None:
    writer = begun(tmp_path)
    tap = writer.add("drums", "player", 1)
    fill(tap, range(10, 100))
    fill(tap, range(150, 200))
    ended(writer)
    (track,) = writer.tracks()
    (hole,) = track.holes
    assert hole.at == pytest.approx(100 * BLOCK, abs=2)
    assert hole.frames == track.missing_frames == pytest.approx(50 * BLOCK, abs=2)
    sound, _ = soundfile.read(tmp_path / track.file)
    assert not sound[hole.at + 64 : hole.at + hole.frames - 64].any()
    assert sound[150 * BLOCK + BLOCK // 2] == pytest.approx(0.25, abs=0.01)
    assert track.frames == pytest.approx(200 * BLOCK, abs=64)


def test_of_very_many_holes_the_first_are_listed(tmp_path: Path) -> None:
    writer = begun(tmp_path)
    tap = writer.add("drums", "player", 1)
    for number in range(0, 3 * MOST_HOLES, 2):
        fill(tap, range(number, number + 1))
    ended(writer)
    (track,) = writer.tracks()
    assert len(track.holes) == MOST_HOLES
    assert track.missing_frames == pytest.approx(BLOCK * (3 * MOST_HOLES // 2 - 1), abs=500)


class StallingFile:
    """A file on a disk that stalls until it is let go on."""

    def __init__(self, file: Any, go_on: threading.Event) -> None:
        self._file, self._go_on = file, go_on

    def buffer_write(self, frames: memoryview, dtype: str) -> None:
        assert self._go_on.wait(10)
        self._file.buffer_write(frames, dtype=dtype)

    def close(self) -> None:
        self._file.close()


def stalling(go_on: threading.Event) -> Callable[[Path, int, int, Format], Any]:
    return lambda *words: StallingFile(open_sound(*words), go_on)


def test_a_disk_that_stalls_for_4_s_costs_nothing(tmp_path: Path) -> None:
    go_on = threading.Event()
    writer = begun(tmp_path, open_sound=stalling(go_on))
    tap = writer.add("drums", "player", 1)
    fill(tap, range(4 * RATE // BLOCK))
    assert tap.dropped == 0
    go_on.set()
    ended(writer)
    assert writer.tracks()[0].frames == pytest.approx(4 * RATE, abs=BLOCK)


def test_the_quota_ends_it_with_a_reason(tmp_path: Path) -> None:
    writer = begun(tmp_path, "wav", most_bytes=50_000)
    fill(writer.add("drums", "player", 1), range(100))
    wait_until(lambda: bool(writer.why))
    assert "--quota-gb" in writer.why
    ended(writer)


def test_a_full_disk_ends_it_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LEAST_FREE_BYTES", 1 << 60)
    writer = begun(tmp_path)
    wait_until(lambda: bool(writer.why))
    assert "nearly full" in writer.why
    ended(writer)


def test_a_folder_that_cannot_be_written_ends_it_with_a_reason(tmp_path: Path) -> None:
    writer = begun(tmp_path / "none")
    writer.add("drums", "player", 1)
    wait_until(lambda: bool(writer.why))
    assert "cannot record into" in writer.why
    ended(writer)
