"""Which tracks a recording has: own input as it came, and as the room got it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from midipool.clock_map import ClockMap
from midipool_client.audio.engine_messages import Record
from midipool_client.recording.engine_part import EngineRecording
from midipool_client.recording.manifest import Track
from midipool_native.audio import AudioCore, PlayerLink
from tests.e2e.waiting import wait_until


@pytest.fixture
def recording() -> Iterator[EngineRecording]:
    core = AudioCore.without_device(48_000, 128, 1, 2)
    made = EngineRecording(core, 48_000, 1, 2)
    made.follow_clock(ClockMap(0, 0))
    yield made
    made.close()


def record(folder: Path) -> Record:
    return Record(str(folder), "me", "wav", 0, 1 << 40)


def ended(recording: EngineRecording) -> list[Track]:
    recording.end()
    wait_until(lambda: (status := recording.status()) is not None and status.done)
    status = recording.status()
    assert status is not None
    return status.tracks


def test_own_input_with_effects_is_a_track_of_its_own(
    recording: EngineRecording, tmp_path: Path
) -> None:
    recording.begin(record(tmp_path), effects=True)
    recording.tend([], effects=True)
    tracks = ended(recording)
    assert [(t.kind, t.file, t.whole) for t in tracks] == [
        ("input", "01-me.wav", True),
        ("effects", "02-me-effects.wav", True),
        ("mix", "03-mix.wav", True),
    ]


def test_effects_that_come_later_are_not_there_from_the_begin(
    recording: EngineRecording, tmp_path: Path
) -> None:
    recording.begin(record(tmp_path))
    recording.tend([], effects=False)
    recording.tend([], effects=True)
    recording.tend([], effects=False)  # passed by again: the track goes on, as the room hears it
    recording.tend([], effects=True)
    tracks = ended(recording)
    assert [(t.kind, t.whole) for t in tracks] == [
        ("input", True),
        ("mix", True),
        ("effects", False),
    ]


def test_own_input_is_a_track_only_once_it_is_to_be_recorded(
    recording: EngineRecording, tmp_path: Path
) -> None:
    recording.tape_own(None)
    recording.begin(record(tmp_path), effects=True)
    recording.tend([], effects=True)
    recording.tape_own(PlayerLink(0.5))
    recording.tend([])
    recording.tape_own(None)
    recording.tend([])
    recording.tape_own(PlayerLink())
    recording.tend([])
    assert [(t.kind, t.whole) for t in ended(recording)] == [("mix", True), ("input", False)]


LATER_NS = 2_000_000_000
BASS = (3, "bass", 2)


def is_done(recording: EngineRecording) -> bool:
    status = recording.status()
    return status is not None and status.done


def test_what_others_played_until_the_end_is_waited_for(
    recording: EngineRecording, tmp_path: Path
) -> None:
    recording.begin(record(tmp_path))
    recording.tend([BASS])
    recording.end({3: 2_000_000}, now_ns=1)
    recording.tend([BASS], now_ns=LATER_NS)
    assert not is_done(recording)
    recording.tend([BASS], now_ns=LATER_NS + 1)
    wait_until(lambda: is_done(recording))


@pytest.mark.parametrize("there", [[], [(3, "keys", 2)]])
def test_nobody_waits_for_who_has_left(
    recording: EngineRecording, tmp_path: Path, there: list[tuple[int, str, int]]
) -> None:
    recording.begin(record(tmp_path))
    recording.tend([BASS])
    recording.end({3: 2_000_000}, now_ns=1)
    recording.tend(there, now_ns=2)
    wait_until(lambda: is_done(recording))


def test_a_new_recording_does_not_wait_for_the_end_of_the_one_before(
    recording: EngineRecording, tmp_path: Path
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    recording.begin(record(before))
    recording.tend([BASS])
    recording.end({3: 60_000_000}, now_ns=1)
    recording.begin(record(after))
    recording.tend([BASS], now_ns=2)
    assert {track.name for track in ended(recording)} == {"me", "mix", "bass"}
