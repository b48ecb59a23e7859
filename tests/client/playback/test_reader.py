"""Tracks are read ahead, and what is wanted otherwise is read anew."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from midipool_client.playback.pieces import Span
from midipool_client.playback.reader import Block, TakeReader
from midipool_client.playback.sound import fade_out, stereo

RATE = 48_000
LONG = 10 * RATE


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[TakeReader]:
    counting = np.arange(LONG, dtype=np.float32) / LONG / 2
    soundfile.write(tmp_path / "1.wav", counting, RATE, "FLOAT")
    soundfile.write(tmp_path / "2.flac", np.zeros((RATE, 2), np.float32) + 0.25, RATE, "PCM_24")
    made = TakeReader([tmp_path / "1.wav", tmp_path / "2.flac", tmp_path / "gone.flac"], RATE)
    yield made
    made.close()


def read(reader: TakeReader, at: int) -> Block:
    deadline = time.monotonic() + 10
    while (block := reader.next(at)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return block


def place_in(block: Block) -> int:
    assert block.sounds is not None
    return round(float(block.sounds[0][0, 0]) * 2 * LONG)


def test_gives_what_is_wanted_without_a_hole(reader: TakeReader) -> None:
    reader.want([Span(1_000, 1_000 + RATE, 5_000)])
    at, places = 0, []
    while at < 1_000 + RATE:
        block = read(reader, at)
        places.append((block.at, block.frames, None if block.take is None else place_in(block)))
        at = block.at + block.frames
    assert places[0] == (0, 1_000, None)
    assert all(place == at + 4_000 for at, _, place in places[1:])
    assert sum(frames for _, frames, _ in places) == at == 1_000 + RATE


def test_what_was_read_in_vain_is_read_anew(reader: TakeReader) -> None:
    reader.want([Span(0, 5 * RATE, 0)])
    assert place_in(read(reader, 0)) == 0
    reader.want([Span(0, RATE // 2, 0), Span(RATE // 2, 5 * RATE, 4 * RATE)])
    kept = read(reader, RATE // 4)
    assert place_in(kept) == kept.at
    assert place_in(read(reader, RATE // 2)) == 4 * RATE


def test_a_jump_ahead_drops_what_was_to_come(reader: TakeReader) -> None:
    reader.want([Span(0, 9 * RATE, 0)])
    read(reader, 0)
    assert place_in(read(reader, 8 * RATE)) == 8 * RATE
    reader.forget()
    assert place_in(read(reader, RATE)) == RATE


def test_a_track_that_is_over_or_gone_is_silent(reader: TakeReader) -> None:
    reader.want([Span(0, 9 * RATE, 0)])
    first, late = read(reader, 0), read(reader, 2 * RATE)
    assert first.sounds is not None
    assert late.sounds is not None
    assert first.sounds[1].shape == (first.frames, 2)
    assert late.sounds[1] is None
    assert first.sounds[2] is None
    assert "gone.flac cannot be read" in reader.why


def test_the_sum_is_stereo_and_glides_where_it_is_muted() -> None:
    mono = np.full((100, 1), 0.25, np.float32)
    both = np.full((100, 2), (0.5, 0.0), np.float32)
    mixed = stereo([mono, both, None], [1, 1, 1], [1, 0, 1], 100)
    assert mixed.shape == (100, 2)
    assert tuple(mixed[0]) == (0.75, 0.25)
    assert tuple(mixed[-1]) == (0.25, 0.25)
    fade_out(mixed, 10)
    assert tuple(mixed[-1]) == (0.0, 0.0)
    assert mixed[-11, 1] == 0.25


def test_many_loud_tracks_do_not_overflow() -> None:
    loud = [np.full((10, 1), sign * 0.9, np.float32) for sign in (1, 1, 1, 1)]
    mixed = stereo(loud, [1] * 4, [1] * 4, 10)
    assert 0.9 < mixed.max() < 1.0
    assert stereo([-loud[0]], [1], [1], 10).min() == pytest.approx(-0.8 - 0.2 / 3, abs=1e-6)
